package admin

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"bgremover.pro/templates"
)

const (
	interval = 10 * time.Second
	points   = 360 // an hour
)

// history is the last hour of the metrics, for the operator's charts. It reads
// the registry as Prometheus would, so that both show the same.
type history struct {
	gather prometheus.Gatherer

	mu     sync.Mutex
	last   totals
	day    string             // UTC
	photos map[string]float64 // by outcome, when the day began
	points []point            // the oldest first
}

// totals are the counters at one time.
type totals struct {
	at                       time.Time
	requests, errors, denied float64
	latency, inference       buckets
	photos                   map[string]float64 // by outcome
}

// point is what happened in one interval. NaN means no value.
type point struct {
	at                       time.Time
	requests, errors, denied float64    // a second
	latency, inference       [3]float64 // seconds: p50, p95, p99
	working, waiting         float64
	memory, backendMemory    float64 // bytes
}

// buckets are cumulative counts by upper bound.
type buckets map[float64]float64

func newHistory(gather prometheus.Gatherer) *history { return &history{gather: gather} }

// run takes a point every interval until ctx ends.
func (h *history) run(ctx context.Context) {
	h.take(time.Now())
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			h.take(now)
		}
	}
}

func (h *history) take(now time.Time) {
	families, err := h.gather.Gather()
	if err != nil && len(families) == 0 {
		return // the next interval is longer
	}
	next := totals{at: now, latency: buckets{}, inference: buckets{}, photos: map[string]float64{}}
	p := point{at: now}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			read(family.GetName(), m, &next, &p)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if day := now.UTC().Format(time.DateOnly); day != h.day {
		h.day, h.photos = day, h.last.photos // nil at the start: all counts are of today
	}
	if took := now.Sub(h.last.at).Seconds(); !h.last.at.IsZero() && took > 0 {
		p.requests = (next.requests - h.last.requests) / took
		p.errors = (next.errors - h.last.errors) / took
		p.denied = (next.denied - h.last.denied) / took
		p.latency = quantiles(h.last.latency, next.latency)
		p.inference = quantiles(h.last.inference, next.inference)
		h.points = append(h.points, p)
		h.points = h.points[max(0, len(h.points)-points):]
	}
	h.last = next
}

// read adds one metric to the totals or the point.
func read(name string, m *dto.Metric, t *totals, p *point) {
	switch name {
	case "bgremover_http_requests_total":
		t.requests += m.GetCounter().GetValue()
		if strings.HasPrefix(label(m, "code"), "5") {
			t.errors += m.GetCounter().GetValue()
		}
	case "bgremover_limit_hits_total", "bgremover_queue_rejections_total":
		t.denied += m.GetCounter().GetValue()
	case "bgremover_photos_total":
		t.photos[label(m, "outcome")] += m.GetCounter().GetValue()
	case "bgremover_http_request_duration_seconds":
		if strings.HasSuffix(label(m, "route"), "/cutouts") {
			t.latency.add(m.GetHistogram())
		}
	case "bgremover_inference_duration_seconds":
		t.inference.add(m.GetHistogram())
	case "bgremover_queue_working":
		p.working = m.GetGauge().GetValue()
	case "bgremover_queue_waiting":
		p.waiting = m.GetGauge().GetValue()
	case "process_resident_memory_bytes":
		p.memory = m.GetGauge().GetValue()
	case "bgremover_backend_memory_bytes":
		p.backendMemory += m.GetGauge().GetValue()
	}
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

func (b buckets) add(h *dto.Histogram) {
	for _, bucket := range h.GetBucket() {
		b[bucket.GetUpperBound()] += float64(bucket.GetCumulativeCount())
	}
	b[math.Inf(1)] += float64(h.GetSampleCount())
}

// today counts the photos since midnight (UTC) by their outcome, as of the last
// interval.
func (h *history) today() (all []templates.OperatorHit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, outcome := range slices.Sorted(maps.Keys(h.last.photos)) {
		if n := h.last.photos[outcome] - h.photos[outcome]; n > 0 {
			all = append(all, templates.OperatorHit{Name: outcome, Count: int64(n)})
		}
	}
	return all
}

// quantiles estimates p50, p95 and p99 of what came between two states of a histogram,
// as PromQL's histogram_quantile does.
func quantiles(before, after buckets) [3]float64 {
	delta := buckets{}
	for bound, n := range after {
		delta[bound] = n - before[bound]
	}
	return [3]float64{delta.quantile(.5), delta.quantile(.95), delta.quantile(.99)}
}

func (b buckets) quantile(q float64) float64 {
	total := b[math.Inf(1)]
	if total <= 0 {
		return math.NaN()
	}
	rank := q * total
	lower, below := 0.0, 0.0
	for _, bound := range seconds {
		if b[bound] >= rank {
			return lower + (bound-lower)*(rank-below)/(b[bound]-below)
		}
		lower, below = bound, b[bound]
	}
	return lower // beyond the last bound nothing is known
}

// all returns the points, the oldest first.
func (h *history) all() []point {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]point(nil), h.points...)
}
