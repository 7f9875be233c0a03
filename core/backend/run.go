package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"bgremover.pro/core/cutout"
)

// run does one inference, and ends a process that hangs or keeps failing.
func (l *Lease) run(ctx context.Context, input *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	p, o := l.process, &l.m.options
	if err := p.slot(ctx); err != nil {
		return nil, cutout.Run{}, err
	}
	defer func() { <-p.slots }()
	loaded, err := p.take(ctx, l.place.model, o.room(p), o.LoadTimeout)
	if err != nil {
		return nil, cutout.Run{}, err
	}
	defer p.letGo(loaded.Name)
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

// inWords gives any error of this package a code and a sentence.
func inWords(ctx context.Context, err error) error {
	var e *cutout.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return cutout.Wrap(cutout.CodeOf(ctx.Err()), ctx.Err(), cutout.MessageOf(ctx.Err()))
	case errors.As(err, &e):
		return err
	}
	return cutout.Wrap(cutout.BackendUnavailable, err, "The backend failed. Please try again.")
}

// noteError keeps an error for the status.
func (m *Manager) noteError(s *supervisor, text string) {
	m.update(func() { s.lastErr = text })
}

// room is the number of models that a process may keep loaded: at least as many
// as run at a time, or a request could wait for room for ever.
func (o *Options) room(p *process) int { return max(o.MaxModels, cap(p.slots)) }
