package pipeline

import (
	"context"
	"errors"
	"image"
	"sync"
	"time"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
)

// turn is an admitted job: its files with their headers read, and what it holds
// until it ends.
type turn struct {
	files
	queue  *Queue
	owner  string
	leave  func() // the queue
	memory *share
	kept   int64   // bytes of memory that the result keeps
	stages *member // of all stages
	runs   *member // of the runs of the model
	watch  *stopwatch
}

// files are a job's files, nil where there is none.
type files struct{ photo, background, hints *decode.Upload }

// admit waits for the job's turn and its memory, for at most half of its time:
// later it would have too little time left to finish.
func (p *Pipeline) admit(ctx context.Context, job cutout.Job, options cutout.Options) (*turn, error) {
	settings := p.settings.Load()
	patience, cancel := context.WithTimeout(ctx, settings.Timeout/2)
	defer cancel()
	t := turn{queue: p.queue, owner: job.Owner, watch: newStopwatch(job.Observe),
		stages: p.queue.stages.enter(job.Owner), runs: p.queue.runs.enter(job.Owner)}
	var err error
	if t.leave, err = p.queue.Enter(patience, job.Owner, t.watch.waiting); err == nil {
		if err = t.reserve(patience, p.budget, job.Upload, options, settings.Decode); err != nil {
			t.leave()
		}
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = p.queue.Busy()
	}
	return &t, err
}

// reserve reads the headers of the job's files and waits for the memory that it
// needs according to them.
func (t *turn) reserve(ctx context.Context, budget *budget, upload []byte, options cutout.Options, limits decode.Limits) (err error) {
	if t.photo, err = decode.Open(ctx, upload, limits, options.Depth == 16); err != nil {
		return err
	}
	if l := options.Layout; l != nil && l.Frame != nil && l.Frame.Width > 0 {
		if err := l.Frame.Check(float64(l.Frame.Width), float64(l.Frame.Height), limits.MaxSide, limits.MaxPixels); err != nil {
			return err
		}
	}
	if t.background, err = openBehind(ctx, behind(options), limits); err != nil {
		return err
	}
	if t.hints, err = openHints(ctx, options, limits); err != nil {
		return err
	}
	t.memory, err = budget.reserve(ctx, t.files, options, limits)
	return err
}

// start begins a stage: it gives way to others, and sees that there is memory.
func (t *turn) start(ctx context.Context, stage cutout.Stage) error {
	t.watch.start(stage)
	if err := t.stages.next(ctx); err != nil {
		return err
	}
	t.memory.collect()
	return nil
}

// hold keeps the memory of the result's file, and counts it against its owner's share,
// until it is sent.
func (t *turn) hold(file []byte) (release func()) {
	t.kept = int64(cap(file))
	sent := t.queue.Unsent(t.owner)
	return sync.OnceFunc(func() {
		t.memory.shrink(0)
		sent()
	})
}

// end gives back everything but what the result keeps.
func (t *turn) end() {
	t.memory.shrink(t.kept)
	t.stages.leave()
	t.leave()
}

// scene is a job's input, decoded: the photo, or the part of it in which the subject may
// be, the background picture, and the person's hints.
type scene struct {
	photo, picture *cutout.Photo // picture is nil where there is none
	seeds          *cutout.Seeds
	original       image.Point     // the whole photo's size
	at             image.Rectangle // where photo lies in it
}

// decode decodes the job's files.
func (t *turn) decode(ctx context.Context, options cutout.Options) (*scene, error) {
	photo, err := t.photo.Decode(ctx)
	if err != nil {
		return nil, err
	}
	s := &scene{photo: photo, original: image.Pt(photo.Width, photo.Height), at: image.Rect(0, 0, photo.Width, photo.Height)}
	if s.picture, err = decodeBehind(ctx, t.background, photo, options.Layout); err != nil {
		return nil, err
	}
	if options.Region != nil {
		if s.at, err = options.Region.In(photo.Width, photo.Height); err != nil {
			return nil, err
		}
		if s.photo, err = compose.Crop(ctx, photo, s.at); err != nil {
			return nil, err
		}
	}
	s.seeds, err = seedsOf(ctx, s.original, s.at, t.hints, options)
	return s, err
}

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
