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
	points   = 360 // of a span
)

// span is a period that the charts can show.
type span struct {
	name, title string
	step        time.Duration // from one point to the next
	ticks       time.Duration // from one time on the axis to the next
	format      string        // of those times
}

// spans has the shortest first. Memory is bounded: each keeps as many points.
var spans = []span{
	{"hour", "The last hour", interval, 10 * time.Minute, "15:04"},
	{"day", "The last day", 24 * interval, 4 * time.Hour, "15:04"},
	{"week", "The last week", 7 * 24 * interval, 24 * time.Hour, "Mon 2"},
}

// length is the time that a span shows.
func (s span) length() time.Duration { return points * s.step }

// history is the last week of the metrics, for the operator's charts. It reads the
// registry as Prometheus would, so that both show the same.
type history struct {
	gather prometheus.Gatherer

	mu     sync.Mutex
	last   totals
	day    string             // UTC
	photos map[string]float64 // by outcome, when the day began
	series []series           // of each span
	// jump is the latest jump of the clock, and when it was seen.
	jump   time.Duration
	jumpAt time.Time
	jumps  prometheus.Counter
	clock  func() time.Time // the wall clock
	wall   time.Time        // what it showed last
}

// series is what a span shows.
type series struct {
	last   totals  // at the latest point
	peak   point   // the highest gauges since then
	points []point // the oldest first
}

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

func newHistory(m *Metrics) *history {
	return &history{gather: m.registry, series: make([]series, len(spans)), jumps: m.clockJumps, clock: time.Now}
}

// jumpLeast is what counts as a jump of the clock.
const jumpLeast = time.Minute

// noteJump compares the wall clock, which can be set, with the monotonic one.
func (h *history) noteJump(now time.Time) {
	wall := h.clock().Round(0)
	by := wall.Sub(h.wall) - now.Sub(h.last.at)
	if !h.wall.IsZero() && by.Abs() >= jumpLeast {
		h.jump, h.jumpAt = by, now
		h.jumps.Inc()
	}
	h.wall = wall
}

// jumped returns the latest jump of the clock.
func (h *history) jumped() (by time.Duration, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.jump, h.jumpAt
}

// latest is the last point of the shortest span; ok is false before the first.
func (h *history) latest() (p point, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.series[0].points); n > 0 {
		return h.series[0].points[n-1], true
	}
	return point{}, false
}

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
	h.noteJump(now)
	for i := range h.series {
		h.series[i].add(spans[i].step, next, p)
	}
	h.last = next
}

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

// of returns the points of a span, by its number, the oldest first.
func (h *history) of(number int) []point {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.series[number].points)
}
