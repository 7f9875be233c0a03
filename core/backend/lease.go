package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"bgremover.pro/core/cutout"
)

// Lease is a backend and a model for all runs of one photo. It stays on its
// process whatever changes meanwhile, and the process does not end before the
// lease is released. If the process fails, the lease moves once: to the next
// backend that the name stands for, or to the same one after its restart.
type Lease struct {
	m              *Manager
	backend, model string   // as requested; the model is fixed by the first run
	sizes          []int    // as Acquire returned them
	failed         *process // the process that it moved away from

	*placement // nil while it has none
}

// placement is a backend with its process and the model that it runs.
type placement struct {
	*supervisor
	process *process
	model   cutout.Model
}

// Acquire leases a backend and a model; empty names mean the defaults. Release
// must follow. Codes: Invalid (unknown name; the sentence lists the choices),
// BackendUnavailable, Timeout, Canceled.
func (m *Manager) Acquire(ctx context.Context, backend, model string) (cutout.Lease, error) {
	l := &Lease{m: m, backend: backend, model: model}
	for {
		if err := l.settle(ctx); err != nil {
			return nil, err
		}
		loaded, err := l.process.pin(ctx, l.placement.model, m.options.cacheSize(l.process), m.options.LoadTimeout)
		if err == nil {
			l.process.unpin(loaded.Name)
			l.sizes = loaded.Sizes()
			return l, nil
		}
		if !l.leave(ctx, err) {
			l.Release()
			return nil, inWords(ctx, err)
		}
	}
}

// Sizes lists the input sizes that may run, smallest first.
func (l *Lease) Sizes() []int { return slices.Clone(l.sizes) }

// Segment runs the model on one picture. Codes: those of Acquire, Internal.
func (l *Lease) Segment(ctx context.Context, input *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	for {
		if err := l.settle(ctx); err != nil {
			return nil, cutout.Run{}, err
		}
		mask, run, err := l.run(ctx, input)
		if err == nil {
			l.model = run.Model // all masks of one photo come from one model
			return mask, run, nil
		}
		if !l.leave(ctx, err) {
			return nil, cutout.Run{}, inWords(ctx, err)
		}
	}
}

// Release ends the lease.
func (l *Lease) Release() {
	if l.placement != nil {
		l.process.release()
		l.placement = nil
	}
}

// settle finds a placement unless the lease has one.
func (l *Lease) settle(ctx context.Context) (err error) {
	if l.placement == nil {
		l.placement, err = l.m.find(ctx, l.backend, l.model, l.failed)
	}
	return err
}

// leave gives up the placement after an error; false if the lease has already moved
// once, or another one would not help.
func (l *Lease) leave(ctx context.Context, err error) bool {
	if !l.worthAnother(ctx, err) || l.failed != nil {
		return false
	}
	l.log.Warn("retrying request", "why", reason(err))
	l.failed = l.process
	l.Release()
	return true
}

// run does one inference, and ends a process that hangs or keeps failing.
func (l *Lease) run(ctx context.Context, input *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	p, o := l.process, &l.m.options
	if err := p.slot(ctx); err != nil {
		return nil, cutout.Run{}, err
	}
	defer func() { <-p.slots }()
	loaded, err := p.pin(ctx, l.placement.model, o.cacheSize(p), o.LoadTimeout)
	if err != nil {
		return nil, cutout.Run{}, err
	}
	defer p.unpin(loaded.Name)
	if sizes := loaded.Sizes(); !slices.Contains(sizes, input.Width) && slices.Contains(l.sizes, input.Width) {
		err := fmt.Errorf("backend %s has sizes %v of model %s ready, not %d", l.name, sizes, loaded.Name, input.Width)
		return nil, cutout.Run{}, &cutout.Error{Code: cutout.BackendUnavailable, RetryAfter: time.Second, Err: err,
			Message: "The backend has just been changed. Please try again."}
	}
	l.runs.Add(1)
	defer l.runs.Add(-1)
	limited, cancel := context.WithTimeout(ctx, o.RunTimeout)
	defer cancel()
	start := time.Now()
	mask, timing, err := p.Segment(limited, loaded.Name, input)
	took := time.Since(start)
	if err != nil && l.hangs(ctx, err, took) {
		err = &DownError{Reason: fmt.Sprintf("a run did not end within %v", took.Round(time.Millisecond))}
		p.kill(err)
	}
	l.account(ctx, err, Observation{Backend: l.name, Model: loaded.Name,
		Duration: took, Inference: timing.Inference, Err: err})
	return mask, cutout.Run{Backend: l.name, Device: p.about.Device, Model: loaded.Name,
		Sizes: []int{input.Width}, Inference: timing.Inference}, err
}

// strikes is the number of failed runs in a row after which a process is
// taken to be broken: some device errors last until the process ends.
const strikes = 3

// hangs reports whether a failed run shows that the process hangs: one run is
// enough if it had at least half the time allowed when its deadline, or the
// caller's, came; of shorter runs it takes several in a row.
func (l *Lease) hangs(ctx context.Context, err error, took time.Duration) bool {
	if errors.Is(ctx.Err(), context.Canceled) || cutout.CodeOf(err) != cutout.Timeout {
		return false
	}
	return took > l.m.options.RunTimeout/2 || l.process.strikes.Add(1) >= strikes
}

func (l *Lease) account(ctx context.Context, err error, o Observation) {
	l.requests.Add(1)
	if l.m.options.OnRun != nil {
		l.m.options.OnRun(o)
	}
	switch {
	case err == nil:
		l.process.strikes.Store(0)
		return
	case errors.Is(ctx.Err(), context.Canceled), cutout.CodeOf(err) == cutout.Invalid:
		return // not the backend's fault
	}
	l.failures.Add(1)
	if cutout.CodeOf(err) != cutout.Internal {
		return // worthAnother or the process's end reports it
	}
	l.m.noteError(l.supervisor, reason(err))
	if l.process.strikes.Add(1) >= strikes {
		l.process.kill(&DownError{Reason: fmt.Sprintf("%d runs in a row failed, the last one with: %s", strikes, reason(err))})
	}
}

// worthAnother reports whether an error is the fault of the process and not of
// the request. No other request goes to the process until it is known whether it
// is alive and can serve.
func (l *Lease) worthAnother(ctx context.Context, err error) bool {
	var f *DownError
	if ctx.Err() != nil || !errors.As(err, &f) && cutout.CodeOf(err) != cutout.BackendUnavailable {
		return false
	}
	l.process.doubted.Store(true)
	if l.process.lives(ctx) { // alive but refusing; another one may accept
		l.m.noteError(l.supervisor, reason(err))
		l.examine(ctx, l.process) // it may report that it cannot serve at all
	}
	return true
}
