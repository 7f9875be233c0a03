package admin

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestHistoryTellsWhatHappenedBetween(t *testing.T) {
	m := NewMetrics(Build{})
	h := newHistory(m.registry)
	now := time.Now()
	h.take(now)
	for range 20 {
		m.Request(Request{Route: "/device/cutouts", Method: "POST", Status: 200, Duration: 2 * time.Second})
	}
	m.Request(Request{Route: "/", Method: "GET", Status: 500, Duration: time.Millisecond})
	m.Limited("device")
	h.take(now.Add(10 * time.Second))
	h.take(now.Add(20 * time.Second))

	all := h.all()
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
	if got := len(h.all()); got != points {
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
	now := time.Now()
	var all []point
	for i, v := range []float64{1, 2, math.NaN(), 4, math.NaN()} {
		all = append(all, point{at: now.Add(time.Duration(i-4) * interval), latency: [3]float64{v, math.NaN(), math.NaN()}})
	}
	c := charts(all, now)[1]
	if got := c.Lines[0].Path; strings.Count(got, "M") != 2 || strings.Count(got, "L") != 1 || c.Top != "5 s" || c.Lines[0].Now != "–" {
		t.Errorf("%+v", c)
	}
	if c.Lines[1].Path != "" {
		t.Errorf("nothing was drawn as %q", c.Lines[1].Path)
	}
	if empty := charts(nil, now); len(empty) != 5 || empty[0].Top != "1" {
		t.Errorf("%+v", empty)
	}
}
