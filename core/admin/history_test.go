package admin

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"bgremover.pro/core/accesslog"
)

func TestHistoryTellsWhatHappenedBetween(t *testing.T) {
	m := NewMetrics(Build{})
	h := newHistory(m)
	now := time.Now()
	h.take(now)
	for range 20 {
		m.Request(accesslog.Request{Route: "/device/cutouts", Method: "POST", Status: 200, Duration: 2 * time.Second})
	}
	m.Request(accesslog.Request{Route: "/", Method: "GET", Status: 500, Duration: time.Millisecond})
	m.Limited("device")
	h.take(now.Add(10 * time.Second))
	h.take(now.Add(20 * time.Second))

	all := h.of(0)
	if len(all) != 2 {
		t.Fatalf("%d points", len(all))
	}
	p := all[0]
	if p.requests != 2.1 || p.errors != .1 || p.denied != .1 || p.latency[0] < 1 || p.latency[0] > 2.5 || p.latency[1] < p.latency[0] || p.memory <= 0 {
		t.Errorf("point = %+v", p)
	}
	if q := all[1]; q.requests != 0 || !math.IsNaN(q.latency[0]) {
		t.Errorf("a quiet point = %+v", q)
	}
	for range 2 * points {
		now = now.Add(interval)
		h.take(now.Add(time.Minute))
	}
	if got := len(h.of(0)); got != points {
		t.Errorf("%d points are kept", got)
	}
}

// TestQuantile holds the estimate between the true values' buckets.
func TestQuantile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0.0005, 59), 1, 50).Draw(t, "values")
		q := rapid.Float64Range(.01, .99).Draw(t, "q")
		b := buckets{math.Inf(1): float64(len(values))}
		low, high := math.Inf(1), 0.0
		for _, v := range values {
			low, high = min(low, v), max(high, v)
			for _, bound := range seconds {
				if v <= bound {
					b[bound]++
				}
			}
		}
		got := b.quantile(q)
		if math.IsNaN(got) || got < 0 || got > seconds[len(seconds)-1] {
			t.Fatalf("quantile = %v", got)
		}
		floor := 0.0
		for _, bound := range seconds {
			if bound < low {
				floor = bound
			}
		}
		if got < floor {
			t.Fatalf("%v is below every value of %v", got, values)
		}
	})
}

func TestChartsDrawGapsAndDots(t *testing.T) {
	now := time.Date(2026, 11, 23, 3, 7, 0, 0, time.UTC)
	var all []point
	for i, v := range []float64{1, 2, math.NaN(), 4, math.NaN()} {
		all = append(all, point{at: now.Add(time.Duration(i-4) * interval), latency: [3]float64{v, math.NaN(), math.NaN()}})
	}
	c := canvas{spans[0], all, now}.charts()[1]
	if got := c.Lines[0].Path; strings.Count(got, "M") != 2 || strings.Count(got, "L") != 1 || c.Top != "5 s" || c.Lines[0].Now != "–" {
		t.Errorf("%+v", c)
	}
	if c.Lines[1].Path != "" {
		t.Errorf("nothing was drawn as %q", c.Lines[1].Path)
	}
	var axis []string
	for _, tick := range c.Ticks {
		axis = append(axis, tick.Time)
	}
	if got := strings.Join(axis, " "); got != "02:10 02:20 02:30 02:40 02:50 03:00" || c.Ticks[5].X != chartWidth*53/60 {
		t.Errorf("the axis shows %s: %+v", got, c.Ticks)
	}
	if len(c.Rows) != 1 || c.Rows[0].Time != "23 Nov 03:07" || c.Rows[0].Values[0] != "–" {
		t.Errorf("as a table: %+v", c.Rows)
	}
	empty := canvas{spans[2], nil, now}.charts()
	if len(empty) != 5 || empty[0].Top != "1" || empty[0].Lines[0].Path != "" || empty[0].Lines[0].Now != "–" || empty[0].Rows != nil || empty[0].Ticks[6].Time != "Mon 23" {
		t.Errorf("nothing measured: %+v", empty[0])
	}
	// Zero is drawn, on the bottom line, and is no dash.
	zero := canvas{spans[0], []point{{at: now.Add(-time.Minute)}, {at: now}}, now}.charts()
	if line := zero[0].Lines[0]; line.Now != "0" || line.Path != "M590.0 120.00h0L600.0 120.00" || zero[0].Rows[0].Values[0] != "0" || zero[1].Lines[0].Now != "0 s" {
		t.Errorf("zero: %+v, %+v", zero[0], zero[1].Lines[0])
	}
}

// TestSpans: a day and a week are kept as well, bounded, with all that was counted in
// each step and the highest of what rises and falls.
func TestSpans(t *testing.T) {
	m := NewMetrics(Build{})
	waiting := 0.0
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "bgremover_queue_waiting"}, func() float64 { return waiting }))
	h := newHistory(m)
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for i := range 25 { // four minutes
		waiting = 0
		if i == 7 {
			waiting = 30
		}
		m.Request(accesslog.Request{Route: "/", Method: "GET", Status: 200, Duration: time.Millisecond})
		h.take(now.Add(time.Duration(i)*interval + time.Duration(i%3)*time.Millisecond)) // tickers are not exact
	}
	day := h.of(1)
	if len(h.of(0)) != 24 || len(day) != 1 || len(h.of(2)) != 0 {
		t.Fatalf("%d, %d and %d points", len(h.of(0)), len(day), len(h.of(2)))
	}
	if p := day[0]; math.Abs(p.requests-.1) > .001 || p.waiting != 30 {
		t.Errorf("%+v", p)
	}
	for i := range spans {
		s := &h.series[i]
		for k := range 2 * points {
			s.add(spans[i].step, totals{at: now.Add(time.Duration(k+100) * spans[i].step)}, point{})
		}
		if len(s.points) != points {
			t.Errorf("%s keeps %d points", spans[i].name, len(s.points))
		}
	}
}
