package admin

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	beat     = 2 * time.Second
	window   = 2 * beat // over which refusals are counted
	remember = 5 * beat // how long a flood stays on the page after it
)

// watch notices within seconds what the history's points are too far apart for, and
// remembers for seconds what comes and goes: a flood of refusals, a full queue, and a jump
// of the clock.
type watch struct {
	refusals, rejections *atomic.Int64 // by limits and queue, and by the queue

	jumps prometheus.Counter
	clock func() time.Time // the wall clock, which can be set

	mu     sync.Mutex
	beats  []beatCount // of the last seconds, the oldest first
	wall   time.Time   // what the clock showed at the last beat
	jump   time.Duration
	jumpAt time.Time
}

// beatCount is what was refused since the start, at one time.
type beatCount struct {
	at                   time.Time
	refusals, rejections int64
}

func newWatch(m *Metrics) *watch {
	return &watch{refusals: &m.refusals, rejections: &m.queueFull, jumps: m.clockJumps, clock: time.Now, beats: make([]beatCount, 1)}
}

func (w *watch) run(ctx context.Context) {
	w.take(time.Now())
	every(ctx, beat, w.take)
}

// every calls f at each interval until ctx ends.
func every(ctx context.Context, interval time.Duration, f func(now time.Time)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			f(now)
		}
	}
}

// jumpLeast is what counts as a jump of the clock.
const jumpLeast = time.Minute

// take compares the wall clock with the monotonic one, and notes the refusals so far.
func (w *watch) take(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wall := w.clock().Round(0)
	by := wall.Sub(w.wall) - now.Sub(w.beats[len(w.beats)-1].at)
	if !w.wall.IsZero() && by.Abs() >= jumpLeast {
		w.jump, w.jumpAt = by, now
		w.jumps.Inc()
	}
	w.wall = wall
	w.beats = append(w.beats, beatCount{now, w.refusals.Load(), w.rejections.Load()})
	w.beats = w.beats[max(0, len(w.beats)-int((window+remember)/beat)):]
}

// jumped returns the latest jump of the clock.
func (w *watch) jumped() (by time.Duration, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.jump, w.jumpAt
}

// rejected is how many photos the queue refused in the last seconds.
func (w *watch) rejected() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rejections.Load() - w.beats[0].rejections
}

// refused is the highest number of refusals a second in a window of the last seconds.
func (w *watch) refused() (most float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := int(window / beat); i < len(w.beats); i++ {
		from, to := w.beats[i-int(window/beat)], w.beats[i]
		most = max(most, float64(to.refusals-from.refusals)/to.at.Sub(from.at).Seconds())
	}
	return most
}
