// Package pipeline takes a photo from upload to answer, in one function: read
// Remove first.
package pipeline

import (
	"context"
	"image/color"
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
	budget   *budget
	settings atomic.Pointer[Settings]
}

// New returns a pipeline over a backend. The queue admits its jobs; all of them
// together may hold so many bytes of memory, including unsent results.
func New(backend Backend, queue *Queue, memory int64, settings Settings) *Pipeline {
	p := &Pipeline{backend: backend, queue: queue, budget: newBudget(memory)}
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
	defer turn.end()

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
	found, err := p.find(ctx, turn.runs, photo, options, !scene.seeds.Empty())
	if err != nil {
		return nil, err
	}

	if err := turn.start(ctx, cutout.Refine); err != nil {
		return nil, err
	}
	alpha, err := matte(ctx, photo, found.mask, options.Edges)
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
		Subject: found.subject, Placed: placed, Run: found.run,
	}
	if result.File, err = file(ctx, photo, alpha, options); err != nil {
		return nil, err
	}
	result.Timings = turn.watch.stop()
	if job.Hold {
		result.Release = turn.hold(result.File)
	}
	return result, nil
}

// Tight reports whether jobs wait for memory, which unsent results hold.
func (p *Pipeline) Tight() bool { return p.budget.waiting.Load() > 0 }

// Held is the memory, in bytes, reserved for jobs and results.
func (p *Pipeline) Held() int64 { return p.budget.held.Load() }

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
