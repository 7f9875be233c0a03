// Package pipeline takes a photo from upload to answer, in one function: read
// Remove first.
package pipeline

import (
	"context"
	"errors"
	"image"
	"image/color"
	"sync"
	"sync/atomic"
	"time"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/correct"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/encode"
	"bgremover.pro/core/mask"
	"bgremover.pro/core/refine"
)

// Backend is what the pipeline needs from the inference side.
type Backend interface {
	// Acquire leases a backend and a model for one photo; empty names mean the
	// operator's defaults. Codes: Invalid (unknown name; the message lists the
	// choices), BackendUnavailable, Timeout, Canceled.
	Acquire(ctx context.Context, backend, model string) (cutout.Lease, error)
}

// Settings may change while jobs run; a job keeps those it started with.
type Settings struct {
	Decode decode.Limits
	// Mode is the mode of jobs that name none.
	Mode cutout.Mode
	// Timeout bounds one job from its entry to the queue to its answer.
	Timeout time.Duration
}

// Pipeline turns uploads into cut-outs. It is safe for concurrent use and owns
// no goroutine.
type Pipeline struct {
	backend  Backend
	queue    *Queue
	room     *room
	settings atomic.Pointer[Settings]
}

// New returns a pipeline over a backend. The queue admits its jobs; all of them
// together may hold so many bytes of memory, including unsent results.
func New(backend Backend, queue *Queue, memory int64, settings Settings) *Pipeline {
	p := &Pipeline{backend: backend, queue: queue, room: newRoom(memory)}
	p.Configure(settings)
	return p
}

// Configure sets the settings of later jobs.
func (p *Pipeline) Configure(settings Settings) { p.settings.Store(&settings) }

// Remove cuts the subject out of one photo. Whatever the outcome, only the result
// outlives the call.
//
// Codes: Busy (with RetryAfter, before any pixel is decoded), Invalid,
// TooManyPixels, UnsupportedFormat, BackendUnavailable, Timeout, Canceled,
// Internal.
func (p *Pipeline) Remove(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
	settings := p.settings.Load()
	ctx, cancel := context.WithTimeout(ctx, settings.Timeout)
	defer cancel()

	options := withDefaults(job.Options, settings.Mode)
	turn, err := p.admit(ctx, job, options)
	if err != nil {
		return nil, err
	}
	defer turn.leave()
	defer turn.steps.leave()
	kept := int64(0)
	defer func() { turn.memory.shrink(kept) }()

	if err := turn.start(ctx, cutout.Decode); err != nil {
		return nil, err
	}
	scene, err := turn.decode(ctx, options)
	if err != nil {
		return nil, err
	}
	photo := scene.photo

	if err := turn.start(ctx, cutout.Infer); err != nil {
		return nil, err
	}
	found, subject, run, err := p.find(ctx, job.Owner, photo, options, !scene.seeds.Empty())
	if err != nil {
		return nil, err
	}

	if err := turn.start(ctx, cutout.Refine); err != nil {
		return nil, err
	}
	alpha, err := matte(ctx, photo, found, options.Edges)
	if err != nil {
		return nil, err
	}
	if alpha, err = correct.Alpha(ctx, photo, alpha, scene.seeds, options.Edges); err != nil {
		return nil, err
	}
	if options.Edges == cutout.Hard {
		mask.Harden(alpha)
	}

	if err := turn.start(ctx, cutout.Compose); err != nil {
		return nil, err
	}
	var placed *cutout.Placed
	if options.Layout != nil {
		photo, placed, err = lay(ctx, scene, alpha, options, settings.Decode)
	} else if options.Output == cutout.Cutout {
		photo, err = dress(ctx, photo, alpha, scene.picture, options)
	}
	if err != nil {
		return nil, err
	}

	if err := turn.start(ctx, cutout.Encode); err != nil {
		return nil, err
	}
	if job.Show != nil && options.Output == cutout.Cutout {
		job.Show(photo)
	}
	result := &cutout.Result{
		MediaType: options.Format.MediaType(),
		Width:     photo.Width, Height: photo.Height,
		Subject: subject, Placed: placed, Run: run,
	}
	if result.File, err = file(ctx, photo, alpha, options); err != nil {
		return nil, err
	}
	result.Timings = turn.watch.stop()
	if job.Hold {
		kept = int64(cap(result.File))
		result.Release = p.hold(job.Owner, turn.memory)
	}
	return result, nil
}

// turn is an admitted job: its files with their headers read, and what it holds
// until it is done.
type turn struct {
	files
	memory *lease
	steps  *member
	watch  *stopwatch
	leave  func()
}

// start begins a stage: it gives way to others, and sees that there is memory.
func (t *turn) start(ctx context.Context, stage cutout.Stage) error {
	t.watch.start(stage)
	if err := t.steps.next(ctx); err != nil {
		return err
	}
	t.memory.makeRoom()
	return nil
}

// files are a job's files, nil where there is none.
type files struct{ photo, background, hints *decode.Upload }

// admit waits for the job's turn and its memory, for at most half of its time:
// later it would have too little time left to finish.
func (p *Pipeline) admit(ctx context.Context, job cutout.Job, options cutout.Options) (*turn, error) {
	settings := p.settings.Load()
	patience, cancel := context.WithTimeout(ctx, settings.Timeout/2)
	defer cancel()
	t := turn{watch: newStopwatch(job.Observe), steps: p.queue.whole.enter(job.Owner)}
	var err error
	if t.leave, err = p.queue.Enter(patience, job.Owner, t.watch.waiting); err == nil {
		if err = t.reserve(patience, p.room, job.Upload, options, settings.Decode); err != nil {
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
func (t *turn) reserve(ctx context.Context, room *room, upload []byte, options cutout.Options, limits decode.Limits) (err error) {
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
	t.memory, err = room.reserve(ctx, t.files, options, limits)
	return err
}

// hold keeps the rest of a job's memory, and counts it against its owner's share,
// until the result is sent.
func (p *Pipeline) hold(owner string, memory *lease) (release func()) {
	sent := p.queue.Unsent(owner)
	return sync.OnceFunc(func() {
		memory.shrink(0)
		sent()
	})
}

// Tight reports whether jobs wait for memory, which unsent results hold.
func (p *Pipeline) Tight() bool { return p.room.waiting.Load() > 0 }

// Held is the memory, in bytes, reserved for jobs and results.
func (p *Pipeline) Held() int64 { return p.room.held.Load() }

// scene is what a job shows: the photo, or its part in which the subject may be, what
// is to lie behind it, and what a person has said of it.
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

// file encodes the result. With a layout, a mask is the alpha of what was laid out.
func file(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask, options cutout.Options) (_ []byte, err error) {
	if options.Output == cutout.Matte {
		if options.Layout != nil {
			if alpha, err = compose.Alpha(ctx, photo); err != nil {
				return nil, err
			}
		}
		return encode.Mask(ctx, alpha, options.Format, options.Depth)
	}
	if options.Format == cutout.ZIP && !photo.Opaque {
		if err := compose.Spread(ctx, photo); err != nil {
			return nil, err
		}
	}
	return encode.Photo(ctx, photo, options.Format, options.Depth)
}

// matte brings the model's mask to the photo's size and depth.
func matte(ctx context.Context, photo *cutout.Photo, m *cutout.Mask, edges cutout.Edges) (*cutout.Mask, error) {
	if photo.Deep != nil {
		m = mask.Deepen(m)
	}
	m, err := mask.Scale(ctx, m, photo.Width, photo.Height)
	if err != nil || edges == cutout.Raw {
		return m, err
	}
	return refine.Refine(ctx, photo, m)
}

// withDefaults fills in what a job leaves out.
func withDefaults(o cutout.Options, mode cutout.Mode) cutout.Options {
	if o.Mode == "" {
		o.Mode = mode
	}
	if o.Format == "" {
		o.Format = cutout.PNG
	}
	if o.Output == "" {
		o.Output = cutout.Cutout
	}
	if o.Edges == "" {
		o.Edges = cutout.Refined
	}
	if o.Layout != nil && o.Layout.Frame != nil && o.Output == cutout.Matte {
		o.Layout = nil // a mask fits its photo
	}
	if o.Region != nil && o.Layout == nil {
		o.Layout = &cutout.Layout{} // what is outside the region is part of the result
	}
	if o.Depth == 0 || o.Format != cutout.PNG || o.Layout != nil && o.Layout.Frame == nil {
		o.Depth = 8
	}
	if o.Format == cutout.JPEG && o.Background == nil {
		// JPEG has no transparency.
		o.Background = cutout.Plain(color.NRGBA{R: 255, G: 255, B: 255, A: 255})
	}
	return o
}
