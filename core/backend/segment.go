package backend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bgremover.pro/core/cutout"
)

// lease is a place on a process for one request.
type lease struct {
	*supervisor
	process *process
	model   cutout.Model
}

// Model returns the model that would serve, with the sizes that are ready.
// Empty names mean the defaults. Codes: Invalid (unknown name; the sentence
// lists the choices), BackendUnavailable, Timeout, Canceled.
func (m *Manager) Model(ctx context.Context, backend, model string) (cutout.Model, error) {
	for failed := (*process)(nil); ; {
		l, err := m.acquire(ctx, backend, model, failed)
		if err != nil {
			return cutout.Model{}, err
		}
		loaded, err := l.process.take(ctx, l.model, m.options.room(l.process), m.options.LoadTimeout)
		l.process.release()
		if err == nil {
			l.process.letGo(loaded.Name)
			return loaded, nil
		}
		if !l.worthAnother(ctx, err) || failed != nil {
			return cutout.Model{}, inWords(ctx, err)
		}
		failed = l.process
	}
}

// Segment runs a model on one picture. A request whose backend dies or breaks
// is tried once more, on the next backend that the name stands for, or after
// the restart of the same. Codes: those of Model, Internal.
func (m *Manager) Segment(ctx context.Context, backend, model string, input *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	var failed *process
	var first error
	for {
		l, err := m.acquire(ctx, backend, model, failed)
		if err != nil {
			return nil, cutout.Run{}, inWords(ctx, cmp.Or(first, err))
		}
		mask, run, err := l.run(ctx, input)
		l.process.release()
		switch {
		case err == nil:
			return mask, run, nil
		case errors.Is(err, errRetired):
			continue // it never ran
		case !l.worthAnother(ctx, err) || failed != nil:
			return nil, cutout.Run{}, inWords(ctx, err)
		}
		l.log.Warn("a request is tried once more", "why", reason(err))
		failed, first = l.process, err
	}
}

// run does one inference and sees to it that a process that hangs or keeps
// failing ends.
func (l *lease) run(ctx context.Context, input *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	p, o := l.process, &l.m.options
	if err := p.slot(ctx); err != nil {
		return nil, cutout.Run{}, err
	}
	defer func() { <-p.slots }()
	loaded, err := p.take(ctx, l.model, o.room(p), o.LoadTimeout)
	if err != nil {
		return nil, cutout.Run{}, err
	}
	defer p.letGo(loaded.Name)
	if sizes := loaded.Sizes(); !slices.Contains(sizes, input.Width) && slices.Contains(l.model.Sizes(), input.Width) {
		err := fmt.Errorf("backend %s has sizes %v of model %s ready, not %d", l.spec.Name, sizes, loaded.Name, input.Width)
		return nil, cutout.Run{}, &cutout.Error{Code: cutout.BackendUnavailable, RetryAfter: time.Second, Err: err,
			Message: "The backend was changed just now. Please try again."}
	}
	l.runs.Add(1)
	defer l.runs.Add(-1)
	limited, cancel := context.WithTimeout(ctx, o.RunTimeout)
	defer cancel()
	start := time.Now()
	mask, timing, err := p.Segment(limited, loaded.Name, input)
	// The backend's own clock may have ended the run a moment before ours.
	if overdue := time.Since(start) > o.RunTimeout*9/10; err != nil && ctx.Err() == nil && overdue {
		err = &Failure{Reason: fmt.Sprintf("a run did not end within %v", o.RunTimeout)}
		p.kill(err)
	}
	l.account(ctx, err, Observation{Backend: l.spec.Name, Model: loaded.Name,
		Duration: time.Since(start), Inference: timing.Inference, Err: err})
	return mask, cutout.Run{Backend: l.spec.Name, Device: l.describe().Device, Model: loaded.Name,
		Sizes: []int{input.Width}, Inference: timing.Inference}, err
}

// strikes is the number of failed runs in a row after which a process is
// taken to be broken: some device errors last until the process ends.
const strikes = 3

func (l *lease) account(ctx context.Context, err error, o Observation) {
	l.requests.Add(1)
	if l.m.options.OnRun != nil {
		l.m.options.OnRun(o)
	}
	switch {
	case err == nil:
		l.process.strikes.Store(0)
		return
	case ctx.Err() != nil, cutout.CodeOf(err) == cutout.Invalid:
		return // not the backend's doing
	}
	l.failures.Add(1)
	if cutout.CodeOf(err) != cutout.Internal {
		return // worthAnother or the process's end will tell
	}
	l.m.noteError(l.supervisor, reason(err))
	if l.process.strikes.Add(1) >= strikes {
		l.process.kill(&Failure{Reason: fmt.Sprintf("%d runs in a row failed, the last one with: %s", strikes, reason(err))})
	}
}

// worthAnother says whether an error is the process's and not the request's.
// No other request goes to a process until it is known whether it lives.
func (l *lease) worthAnother(ctx context.Context, err error) bool {
	var f *Failure
	if ctx.Err() != nil || !errors.As(err, &f) && cutout.CodeOf(err) != cutout.BackendUnavailable {
		return false
	}
	l.process.doubted.Store(true)
	if l.process.lives(ctx) { // and refuses; another one may not
		l.process.doubted.Store(false)
		l.m.noteError(l.supervisor, reason(err))
	}
	return true
}

// acquire finds a process for a request, waiting for one that is on its way,
// and starts one where the request is the reason to. It avoids a process that
// has failed this request before.
func (m *Manager) acquire(ctx context.Context, backend, model string, failed *process) (*lease, error) {
	var found *lease
	err := m.await(ctx, func() (bool, error) {
		candidates, err := m.candidates(backend, model)
		if err != nil {
			return false, err
		}
		hope := m.handover
		for _, c := range candidates {
			p := c.proc
			if p != nil && p != failed && !p.doubted.Load() && p.hold() {
				c.process, found = p, c
				return true, nil
			}
			if c.asleep || backend != "" && c.wish == nil && !m.handover {
				if err := m.demand(c.supervisor, backend != ""); err != nil {
					return false, err
				}
				return false, nil
			}
			hope = hope || c.promising(failed)
		}
		if !hope {
			return false, m.unavailable(chainOf(candidates))
		}
		return false, nil
	})
	if err != nil {
		return nil, inWords(ctx, err)
	}
	return found, nil
}

// promising says whether waiting for a backend makes sense.
func (s *supervisor) promising(failed *process) bool {
	switch s.state {
	case Ready:
		// One that is doubted will answer again or be replaced.
		return s.proc != failed || failed.doubted.Load()
	case Starting, Warming:
		return true
	}
	resting := s.breaker.open(s.m.options.Restart) && time.Now().Before(s.breaker.next)
	return s.wish != nil && !resting
}

// candidates lists what a request may run on, best first, each with its model.
func (m *Manager) candidates(backend, model string) ([]*lease, error) {
	chain, err := m.chain(cmp.Or(backend, m.active))
	if err != nil {
		return nil, err
	}
	var found []*lease
	for _, s := range chain {
		if model == "" {
			if first, ok := s.spec.first(m.models); ok {
				found = append(found, &lease{supervisor: s, model: first})
			}
			continue
		}
		for _, known := range m.models {
			if known.Name == model && s.spec.allows(model) {
				found = append(found, &lease{supervisor: s, model: known})
			}
		}
	}
	if len(found) == 0 {
		return nil, cutout.Errorf(cutout.Invalid, "model is one of: %s", m.modelChoices(chain))
	}
	return found, nil
}

// choices lists the backends that a request may name.
func (m *Manager) choices() string {
	names := []string{Auto}
	for _, s := range m.supervisors {
		names = append(names, s.spec.Name)
	}
	return strings.Join(names, ", ")
}

func (m *Manager) modelChoices(chain []*supervisor) string {
	var names []string
	for _, known := range m.models {
		if slices.ContainsFunc(chain, func(s *supervisor) bool { return s.spec.allows(known.Name) }) {
			names = append(names, known.Name)
		}
	}
	return strings.Join(names, ", ")
}

func chainOf(leases []*lease) []*supervisor {
	var chain []*supervisor
	for _, l := range leases {
		chain = append(chain, l.supervisor)
	}
	return chain
}

// unavailable says why none of some backends serves and when to try again.
// The names and reasons are the cause, for the log.
func (m *Manager) unavailable(chain []*supervisor) error {
	var causes []error
	var soonest time.Time
	for _, s := range chain {
		causes = append(causes, fmt.Errorf("%s is %s: %s", s.spec.Name, s.state, s.whyNot()))
		if next := s.breaker.next; soonest.IsZero() || next.Before(soonest) {
			soonest = next
		}
	}
	return &cutout.Error{Code: cutout.BackendUnavailable, Err: errors.Join(causes...),
		RetryAfter: max(time.Second, time.Until(soonest)),
		Message:    "Nothing is ready to work on photos at the moment. Please try again later."}
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

// room is the number of models that a process may have loaded: as many as run
// at a time, or waiting for room could last for ever.
func (o *Options) room(p *process) int { return max(o.MaxModels, cap(p.slots)) }
