package pipeline

import (
	"time"

	"bgremover.pro/core/cutout"
)

// stopwatch times the stages of one job and reports each to its observer.
type stopwatch struct {
	observe func(cutout.Progress)
	timings []cutout.Timing
	began   time.Time
}

func newStopwatch(observe func(cutout.Progress)) *stopwatch {
	if observe == nil {
		observe = func(cutout.Progress) {}
	}
	return &stopwatch{
		observe: observe,
		timings: []cutout.Timing{{Stage: cutout.Waiting}},
		began:   time.Now(),
	}
}

// waiting receives the job's place in the queue.
func (w *stopwatch) waiting(ahead int) {
	w.observe(cutout.Progress{Stage: cutout.Waiting, Ahead: ahead})
}

// start ends the stage before and begins the next.
func (w *stopwatch) start(stage cutout.Stage) {
	w.lap()
	w.timings = append(w.timings, cutout.Timing{Stage: stage})
	w.observe(cutout.Progress{Stage: stage})
}

func (w *stopwatch) stop() []cutout.Timing {
	w.lap()
	return w.timings
}

func (w *stopwatch) lap() {
	now := time.Now()
	w.timings[len(w.timings)-1].Duration = now.Sub(w.began)
	w.began = now
}
