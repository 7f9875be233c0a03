package backend

import (
	"context"
	"slices"

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

	*place // nil while it has none
}

// place is a backend with its process and the model that it runs.
type place struct {
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
		loaded, err := l.process.take(ctx, l.place.model, m.options.room(l.process), m.options.LoadTimeout)
		if err == nil {
			l.process.letGo(loaded.Name)
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
	if l.place != nil {
		l.process.release()
		l.place = nil
	}
}

// settle finds a place unless the lease has one.
func (l *Lease) settle(ctx context.Context) (err error) {
	if l.place == nil {
		l.place, err = l.m.find(ctx, l.backend, l.model, l.failed)
	}
	return err
}

// leave gives up the place after an error; false if the lease has already moved
// once, or another place would not help.
func (l *Lease) leave(ctx context.Context, err error) bool {
	if !l.worthAnother(ctx, err) || l.failed != nil {
		return false
	}
	l.log.Warn("retrying request", "why", reason(err))
	l.failed = l.process
	l.Release()
	return true
}
