package admin

import (
	"math"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// totals are the counters at one time.
type totals struct {
	at                       time.Time
	requests, errors, denied float64
	latency, inference       buckets
	photos                   map[string]float64 // by outcome
}

// point is what happened since the point before. NaN means no value.
type point struct {
	at                       time.Time
	requests, errors, denied float64    // a second
	latency, inference       [3]float64 // seconds: p50, p95, p99
	// The highest in the interval; memory in bytes.
	working, waiting      float64
	memory, backendMemory float64
}

// buckets are cumulative counts by upper bound.
type buckets map[float64]float64

// add takes the gauges, and makes a point once a step is over. A ticker may be early.
func (s *series) add(step time.Duration, next totals, now point) {
	s.peak.working, s.peak.waiting = max(s.peak.working, now.working), max(s.peak.waiting, now.waiting)
	s.peak.memory, s.peak.backendMemory = max(s.peak.memory, now.memory), max(s.peak.backendMemory, now.backendMemory)
	took := next.at.Sub(s.last.at)
	switch {
	case s.last.at.IsZero():
		s.last = next
		return
	case took < step-interval/2:
		return
	}
	p := s.peak
	p.at = next.at
	p.requests = (next.requests - s.last.requests) / took.Seconds()
	p.errors = (next.errors - s.last.errors) / took.Seconds()
	p.denied = (next.denied - s.last.denied) / took.Seconds()
	p.latency = quantiles(s.last.latency, next.latency)
	p.inference = quantiles(s.last.inference, next.inference)
	s.points = append(s.points, p)
	s.points = s.points[max(0, len(s.points)-points):]
	s.last, s.peak = next, point{}
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
