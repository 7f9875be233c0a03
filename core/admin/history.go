package admin

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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
}

// series is what a span shows.
type series struct {
	last   totals  // at the latest point
	peak   point   // the highest gauges since then
	points []point // the oldest first
}

func newHistory(m *Metrics) *history {
	return &history{gather: m.registry, series: make([]series, len(spans))}
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
	every(ctx, interval, h.take)
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
	for i := range h.series {
		h.series[i].add(spans[i].step, next, p)
	}
	h.last = next
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

// of returns the points of a span, by its number, the oldest first.
func (h *history) of(number int) []point {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.series[number].points)
}
