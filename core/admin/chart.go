package admin

import (
	"fmt"
	"math"
	"strings"
	"time"

	"bgremover.pro/templates"
)

// A chart is drawn in a box of these units, which its template shows too.
const (
	chartWidth  = 600.0
	chartHeight = 120.0
)

// curve is one line of a chart.
type curve struct {
	name  string
	value func(point) float64
}

// scale formats values, and sets the least value for the top of a chart: noise
// near zero should look like noise.
type scale struct {
	least float64
	show  func(float64) string
}

var (
	number = scale{1, func(v float64) string { return fmt.Sprintf("%.3g", v) }}
	times  = scale{.1, showSeconds}
	sizes  = scale{100e6, showBytes}
)

// charts draws the last hour.
func charts(all []point, now time.Time) []templates.OperatorChart {
	return []templates.OperatorChart{
		chart("Requests a second", all, now, number, curve{"all", func(p point) float64 { return p.requests }},
			curve{"refused by limit or queue", func(p point) float64 { return p.denied }}, curve{"server errors", func(p point) float64 { return p.errors }}),
		chart("Request time per photo", all, now, times, percentiles(func(p point) [3]float64 { return p.latency })...),
		chart("Inference time", all, now, times, percentiles(func(p point) [3]float64 { return p.inference })...),
		chart("Photos in the queue", all, now, number, curve{"in progress", func(p point) float64 { return p.working }},
			curve{"waiting", func(p point) float64 { return p.waiting }}),
		chart("Memory", all, now, sizes, curve{"server", func(p point) float64 { return p.memory }},
			curve{"backends", func(p point) float64 { return p.backendMemory }}),
	}
}

func percentiles(of func(point) [3]float64) []curve {
	var all []curve
	for i, name := range []string{"p50", "p95", "p99"} {
		all = append(all, curve{name, func(p point) float64 { return of(p)[i] }})
	}
	return all
}

func chart(title string, all []point, now time.Time, unit scale, curves ...curve) templates.OperatorChart {
	top := 0.0
	for _, p := range all {
		for _, c := range curves {
			if v := c.value(p); !math.IsNaN(v) {
				top = max(top, v)
			}
		}
	}
	top = roundUp(max(top, unit.least))
	out := templates.OperatorChart{Title: title, Width: chartWidth, Height: chartHeight, Top: unit.show(top), Middle: unit.show(top / 2), MiddleY: chartHeight / 2}
	for _, c := range curves {
		line := templates.OperatorLine{Name: c.name, Path: path(all, now, c.value, top), Now: "–"}
		if n := len(all); n > 0 && !math.IsNaN(c.value(all[n-1])) {
			line.Now = unit.show(c.value(all[n-1]))
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}

// path draws a line with gaps where there is no value. A point between two gaps is
// a line without length, which round ends make a dot.
func path(all []point, now time.Time, value func(point) float64, top float64) string {
	var b strings.Builder
	drawing := false
	for _, p := range all {
		v := value(p)
		x := chartWidth * (1 - now.Sub(p.at).Seconds()/(points*interval.Seconds()))
		if math.IsNaN(v) || x < 0 {
			drawing = false
			continue
		}
		y := chartHeight * (1 - v/top)
		if drawing {
			fmt.Fprintf(&b, "L%.1f %.1f", x, y)
		} else {
			fmt.Fprintf(&b, "M%.1f %.1fh0", x, y)
		}
		drawing = true
	}
	return b.String()
}

// roundUp finds the next 1, 2 or 5 times a power of ten of a positive number.
func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 2, 5} {
		if v <= step*power {
			return step * power
		}
	}
	return 10 * power
}

func showSeconds(seconds float64) string {
	if seconds < 1 {
		return fmt.Sprintf("%.3g ms", seconds*1000)
	}
	return fmt.Sprintf("%.3g s", seconds)
}

func showBytes(v float64) string {
	if v >= 1e9 {
		return fmt.Sprintf("%.3g GB", v/1e9)
	}
	return fmt.Sprintf("%.3g MB", v/1e6)
}
