package admin

import (
	"fmt"
	"math"
	"slices"
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
	unit  string // for the page's script, which formats alike
	least float64
	show  func(float64) string
}

var (
	number = scale{"number", 1, func(v float64) string { return fmt.Sprintf("%.3g", v) }}
	times  = scale{"seconds", .1, showSeconds}
	sizes  = scale{"bytes", 100e6, showBytes}
)

// canvas is what all charts of a span share.
type canvas struct {
	span
	points []point
	now    time.Time
}

// x is where a time is drawn.
func (c canvas) x(t time.Time) float64 {
	return chartWidth * (1 - c.now.Sub(t).Seconds()/c.length().Seconds())
}

// plots are the charts: curves with one scale.
var plots = []struct {
	title  string
	unit   scale
	curves []curve
}{
	{"Requests a second", number, []curve{{"all", func(p point) float64 { return p.requests }},
		{"refused by limit or queue", func(p point) float64 { return p.denied }}, {"server errors", func(p point) float64 { return p.errors }}}},
	{"Request time per photo", times, percentiles(func(p point) [3]float64 { return p.latency })},
	{"Inference time", times, percentiles(func(p point) [3]float64 { return p.inference })},
	{"Photos in the queue", number, []curve{{"in progress", func(p point) float64 { return p.working }}, {"waiting", func(p point) float64 { return p.waiting }}}},
	{"Memory", sizes, []curve{{"server", func(p point) float64 { return p.memory }}, {"backends", func(p point) float64 { return p.backendMemory }}}},
}

// charts draws a span.
func (c canvas) charts() (all []templates.OperatorChart) {
	for _, p := range plots {
		all = append(all, c.chart(p.title, p.unit, p.curves...))
	}
	return all
}

func percentiles(of func(point) [3]float64) []curve {
	var all []curve
	for i, name := range []string{"p50", "p95", "p99"} {
		all = append(all, curve{name, func(p point) float64 { return of(p)[i] }})
	}
	return all
}

func (c canvas) chart(title string, unit scale, curves ...curve) templates.OperatorChart {
	top := 0.0
	for _, p := range c.points {
		for _, each := range curves {
			if v := each.value(p); !math.IsNaN(v) {
				top = max(top, v)
			}
		}
	}
	top = roundUp(max(top, unit.least))
	out := templates.OperatorChart{Title: title, Width: chartWidth, Height: chartHeight, Unit: unit.unit, Value: top,
		From: c.now.Add(-c.length()).Unix(), To: c.now.Unix(), Format: c.name,
		Top: unit.show(top), Middle: unit.show(top / 2), MiddleY: chartHeight / 2, Ticks: c.axis()}
	for _, each := range curves {
		line := templates.OperatorLine{Name: each.name, Path: c.path(each.value, top), Now: "–"}
		if n := len(c.points); n > 0 && !math.IsNaN(each.value(c.points[n-1])) {
			line.Now = unit.show(each.value(c.points[n-1]))
		}
		out.Lines = append(out.Lines, line)
	}
	out.Rows = c.rows(unit, curves)
	return out
}

// axis lists the round times of the span.
func (c canvas) axis() (ticks []templates.OperatorTick) {
	for t := c.now.UTC().Truncate(c.ticks); c.x(t) > 0; t = t.Add(-c.ticks) {
		x := c.x(t)
		ticks = append(ticks, templates.OperatorTick{X: x, Percent: 100 * x / chartWidth, Time: t.Format(c.format)})
	}
	slices.Reverse(ticks)
	return ticks
}

// tableRows is how many rows a chart's table has at most.
const tableRows = 12

// rows puts a chart into a table: the latest value of each twelfth of the span in which
// anything was measured.
func (c canvas) rows(unit scale, curves []curve) (rows []templates.OperatorChartRow) {
	part := c.length() / tableRows
	for i := range tableRows {
		end := c.now.Add(-time.Duration(tableRows-1-i) * part)
		var latest *point
		for k, p := range c.points {
			if !p.at.After(end) && p.at.After(end.Add(-part)) {
				latest = &c.points[k]
			}
		}
		if latest == nil {
			continue
		}
		row := templates.OperatorChartRow{Time: latest.at.UTC().Format("2 Jan 15:04")}
		for _, each := range curves {
			text := "–"
			if v := each.value(*latest); !math.IsNaN(v) {
				text = unit.show(v)
			}
			row.Values = append(row.Values, text)
		}
		rows = append(rows, row)
	}
	return rows
}

// path draws a line with gaps where there is no value. A point between two gaps is
// a line without length, which round ends make a dot.
func (c canvas) path(value func(point) float64, top float64) string {
	var b strings.Builder
	drawing := false
	for _, p := range c.points {
		v, x := value(p), c.x(p.at)
		if math.IsNaN(v) || x < 0 {
			drawing = false
			continue
		}
		y := chartHeight * (1 - v/top)
		if drawing {
			fmt.Fprintf(&b, "L%.1f %.2f", x, y)
		} else {
			fmt.Fprintf(&b, "M%.1f %.2fh0", x, y)
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
	if seconds > 0 && seconds < 1 {
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
