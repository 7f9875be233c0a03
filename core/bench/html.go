package bench

import (
	_ "embed" // the page
	"html/template"
	"io"
)

//go:embed report.html
var pageText string

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"number": number, "times": times, "joined": joined,
	"megabytes": func(bytes int64) int64 { return bytes / 1e6 },
	"share":     func(part, whole Figure) Figure { return 100 * ratio(part, whole) },
	"slowest":   slowest,
	"measures":  measureNames,
}).Parse(pageText))

// WriteHTML writes one self-contained page: its pictures are in it, and it makes no
// requests.
func (r *Report) WriteHTML(w io.Writer) error { return page.Execute(w, r) }

// slowest is the longest time in the chart of stages.
func slowest(variants []Variant) (most Figure) {
	for _, v := range variants {
		sum := Figure(0)
		for _, s := range v.Stages {
			sum += s.Time.Mean
		}
		most = max(most, sum)
	}
	return most
}
