// Package pipeline is the line a photo passes from upload to answer, as one
// function: read Remove first.
package pipeline

import (
	"context"
	"image/color"
	"sync/atomic"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/encode"
	"bgremover.pro/core/mask"
	"bgremover.pro/core/refine"
)

// Backend is what the line asks of the inference side.
type Backend interface {
	// Acquire leases a backend and a model for one photo; empty names mean the
	// operator's defaults. Codes: Invalid (unknown name; the sentence lists the
	// choices), BackendUnavailable, Timeout, Canceled.
	Acquire(ctx context.Context, backend, model string) (cutout.Lease, error)
}

// Settings may change while jobs run; a job keeps those it started with.
type Settings struct {
	Decode decode.Limits
	// Mode is what a job that names none gets.
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

// New returns a line over a backend. The queue admits its jobs, and decoding
// may take so many bytes of memory, all jobs together.
func New(backend Backend, queue *Queue, memory int64, settings Settings) *Pipeline {
	p := &Pipeline{backend: backend, queue: queue, room: newRoom(memory)}
	p.Configure(settings)
	return p
}

// Configure sets what the next jobs go by.
func (p *Pipeline) Configure(settings Settings) { p.settings.Store(&settings) }

// Remove cuts the subject out of one photo. Whatever the outcome, nothing of
// the photo outlives the call but the result.
//
// Codes: Busy (with RetryAfter, before any pixel is decoded), Invalid,
// TooManyPixels, UnsupportedFormat, BackendUnavailable, Timeout, Canceled,
// Internal.
func (p *Pipeline) Remove(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
	settings := p.settings.Load()
	ctx, cancel := context.WithTimeout(ctx, settings.Timeout)
	defer cancel()

	watch := newStopwatch(job.Observe)
	leave, err := p.queue.Enter(ctx, watch.waiting)
	if err != nil {
		return nil, err
	}
	defer leave()
	options := withDefaults(job.Options, settings.Mode)
	free, err := p.room.reserve(ctx, settings.Decode, job.Upload, behind(options))
	if err != nil {
		return nil, err
	}
	defer free()

	watch.start(cutout.Decode)
	photo, err := decode.Decode(ctx, job.Upload, settings.Decode, options.Depth == 16)
	if err != nil {
		return nil, err
	}
	picture, err := decodeBehind(ctx, behind(options), settings.Decode)
	if err != nil {
		return nil, err
	}

	watch.start(cutout.Infer)
	found, subject, run, err := p.infer(ctx, photo, options)
	if err != nil {
		return nil, err
	}
	if subject == cutout.SubjectNone && !options.Anyway {
		clear(found.Pix)
	}

	watch.start(cutout.Refine)
	alpha, err := matte(ctx, photo, found, options.Edges)
	if err != nil {
		return nil, err
	}

	watch.start(cutout.Compose)
	if options.Output == cutout.Cutout {
		if photo, err = dress(ctx, photo, alpha, picture, options); err != nil {
			return nil, err
		}
	}

	watch.start(cutout.Encode)
	result := &cutout.Result{
		MediaType: options.Format.MediaType(),
		Width:     photo.Width, Height: photo.Height,
		Subject: subject, Run: run,
	}
	if options.Output == cutout.Matte {
		result.File, err = encode.Mask(ctx, alpha, options.Format, options.Depth)
	} else {
		result.File, err = encode.Photo(ctx, photo, options.Format, options.Depth)
	}
	if err != nil {
		return nil, err
	}
	result.Timings = watch.stop()
	return result, nil
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

// withDefaults fills in what a job leaves open.
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
	if o.Depth == 0 || o.Format != cutout.PNG {
		o.Depth = 8
	}
	if o.Format == cutout.JPEG && o.Background == nil {
		// JPEG knows no transparency.
		o.Background = cutout.Plain(color.NRGBA{R: 255, G: 255, B: 255, A: 255})
	}
	return o
}
