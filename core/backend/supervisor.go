package backend

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"sync/atomic"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

// supervisor keeps one configured backend as the Manager wants it: with a working
// process, or without one. Its goroutine, live, is the only one that starts and
// ends processes.
type supervisor struct {
	m    *Manager
	name string
	log  *slog.Logger

	// Guarded by the Manager's lock.
	spec     Spec
	state    State
	why      string
	since    time.Time
	proc     *process // nil unless one is ready, or was and is Unavailable
	about    contract.Description
	breaker  breaker
	crashed  bool // the last process ended by itself, or did not work
	restarts int  // processes started in place of such a one, or of one that served
	unfit    bool // the last start failed
	demanded bool // a request named it
	asleep   bool // stopped while idle
	lastErr  string
	stderr   []string
	wish     context.Context //nolint:containedctx // lives while a process is wanted; nil otherwise
	unwish   context.CancelFunc

	wishes       chan context.Context
	dismissed    chan struct{} // closed: no longer configured
	again        chan struct{} // try now instead of waiting
	replacements chan replacement

	requests, failures atomic.Uint64
	runs               atomic.Int64
}

// replacement asks for a fresh process in place of the one that serves.
type replacement struct {
	spec   Spec
	result chan error
}

func newSupervisor(m *Manager, spec Spec) *supervisor {
	return &supervisor{m: m, name: spec.Name, spec: spec, log: m.options.Log.With("backend", spec.Name),
		state: Off, since: time.Now(), wishes: make(chan context.Context, 1),
		dismissed: make(chan struct{}),
		again:     make(chan struct{}, 1), replacements: make(chan replacement)}
}

// want says whether there should be a process. The Manager's lock is held.
func (s *supervisor) want(wanted bool) {
	switch {
	case wanted && s.wish == nil:
		s.asleep = false
		s.wish, s.unwish = context.WithCancel(s.m.closing)
		select {
		case <-s.wishes: // an older wish that nobody saw
		default:
		}
		s.wishes <- s.wish
	case !wanted && s.wish != nil:
		s.unwish()
		s.wish = nil
		if s.proc != nil { // at once, or Switch would take it for one that stays
			s.proc = nil
			s.state, s.why, s.since = Draining, "", time.Now()
		}
	}
}

// down: it failed, so a fallback should serve until it is ready again.
func (s *supervisor) down() bool {
	return s.taking() == nil && (s.proc != nil || s.unfit || s.breaker.open(s.m.options.Restart))
}

// whyNot says why it does not serve.
func (s *supervisor) whyNot() string { return cmp.Or(s.lastErr, "it is "+string(s.state)) }

// live runs until the Manager closes.
func (s *supervisor) live() {
	for {
		select {
		case <-s.m.closing.Done():
			return
		case <-s.dismissed:
			return
		case wish := <-s.wishes:
			s.serve(wish)
		}
	}
}

// serve keeps a process working until ctx, the wish for one, ends.
func (s *supervisor) serve(ctx context.Context) {
	for s.awaitTurn(ctx) {
		s.countRestart()
		p, err := s.launch(ctx, s.currentSpec())
		if err != nil {
			if ctx.Err() == nil {
				s.failed(err, true)
			}
			continue
		}
		if !reflect.DeepEqual(p.spec, s.currentSpec()) {
			p.stop() // its configuration has changed meanwhile
			continue
		}
		s.publish(ctx, p)
		s.guard(ctx, p)
	}
	s.set(Off, "")
}

// countRestart counts the process that is about to start if it follows a crash. One
// that lacks something, such as CUDA on a machine without it, is only tried again.
func (s *supervisor) countRestart() {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.crashed {
		s.restarts++
		s.crashed = false
	}
}

// awaitTurn waits out the time between attempts; false when ctx has ended.
func (s *supervisor) awaitTurn(ctx context.Context) bool {
	s.m.mu.Lock()
	wait := time.Until(s.breaker.next)
	s.m.mu.Unlock()
	if wait <= 0 {
		select {
		case <-s.again: // drop the request for an attempt that is due anyway
		default:
		}
	} else {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.again:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// guard watches a process that serves until it, or the wish for one, ends.
func (s *supervisor) guard(ctx context.Context, p *process) {
	for p != nil {
		watching, stopWatching := context.WithCancel(ctx)
		watched := p
		s.m.running.Go(func() { s.watch(watching, watched) })
		select {
		case <-ctx.Done():
			s.unpublish(Draining, "")
			s.drain(p)
			p = nil
		case <-p.gone:
			s.failed(p.exit, false)
			p.retire()
			p = nil
		case r := <-s.replacements:
			p = s.replace(ctx, p, r)
		}
		stopWatching()
	}
}

// publish lets a process take runs, if one is still wanted.
func (s *supervisor) publish(ctx context.Context, p *process) {
	s.m.update(func() {
		if ctx.Err() != nil {
			return
		}
		s.proc, s.about = p, p.about
		s.unfit = false
		s.breaker.succeed(time.Now())
		s.state, s.why, s.since = Ready, "", time.Now()
	})
	s.log.Info("backend is ready", "pid", p.pid, "device", p.about.Device, "provider", p.about.Provider)
}

// unpublish accepts no new runs.
func (s *supervisor) unpublish(state State, why string) {
	s.m.update(func() {
		s.proc = nil
		s.state, s.why, s.since = state, why, time.Now()
	})
}

// drain lets a process finish its runs, within limits, and ends it.
func (s *supervisor) drain(p *process) {
	p.retire()
	timer := time.NewTimer(s.m.options.DrainTimeout)
	defer timer.Stop()
	select {
	case <-p.empty:
	case <-p.gone:
	case <-s.m.closing.Done():
	case <-timer.C:
		s.log.Warn("drain timeout; stopping backend although runs are still in progress")
	}
	p.stop()
}

// failed records why there is no process and when to try again.
func (s *supervisor) failed(err error, atStart bool) {
	var f *DownError
	if !errors.As(err, &f) {
		code := cutout.CodeOf(err)
		f = &DownError{Reason: reason(err), Permanent: code == cutout.Invalid, Lacking: code == cutout.BackendUnavailable, Err: err}
	}
	var next time.Time
	s.m.update(func() {
		s.breaker.fail(time.Now(), f, s.m.options.Restart)
		s.proc = nil
		s.unfit = s.unfit || atStart
		s.crashed = !f.Permanent && !f.Lacking
		next = s.breaker.next
		s.state, s.why, s.since = Failed, f.Reason, time.Now()
		s.lastErr, s.stderr = f.Reason, f.Stderr
	})
	s.log.Error("backend failed", "why", f.Reason, "next_try_in", time.Until(next).Round(time.Millisecond), "stderr", f.Stderr)
}

// set records a state, unless a process is serving.
func (s *supervisor) set(state State, why string) {
	s.m.update(func() {
		if s.proc == nil {
			s.state, s.why, s.since = state, why, time.Now()
		}
	})
}

func (s *supervisor) currentSpec() Spec {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.spec
}
