package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"bgremover.pro/core/cutout"
)

// Switch makes another backend, or Auto, the active one. Requests stay on the
// old one until the new one is serving; if it fails, the old one stays. Two that
// do not fit into memory together are swapped one after the other, while requests
// wait. Codes: Invalid (unknown name), BackendUnavailable, Timeout, Canceled.
func (m *Manager) Switch(ctx context.Context, name string) error {
	if err := m.lockChanges(ctx); err != nil {
		return err
	}
	defer m.unlockChanges()
	return m.switchTo(ctx, name)
}

func (m *Manager) switchTo(ctx context.Context, name string) error {
	m.mu.Lock()
	old := m.active
	chain, err := m.chain(name)
	handOver := err == nil && m.server(chain) == nil && !m.fits(chain[0])
	m.mu.Unlock()
	if err != nil || name == old {
		return err
	}
	if handOver {
		err = m.handOver(ctx, old, name)
	} else {
		m.update(func() { m.next = name; tryNow(chain) })
		err = m.awaitServing(ctx, name)
	}
	m.update(func() {
		m.next = ""
		if err == nil {
			m.forget(old)
			m.active = name
		}
	})
	if err != nil {
		m.options.Log.Error("backend switch failed; keeping the current one", "to", name, "current", old, "why", reason(err))
		return inWords(ctx, err)
	}
	m.options.Log.Info("backend switched", "from", old, "to", name)
	return nil
}

// handOver ends the old backend before it starts the new one; if that fails, it
// starts the old one again.
func (m *Manager) handOver(ctx context.Context, old, name string) error {
	m.update(func() { m.handover = true; m.forget(old) })
	err := m.awaitOff(ctx, old)
	if err == nil {
		m.update(func() { m.handover, m.active = false, name; chain, _ := m.chain(name); tryNow(chain) })
		err = m.awaitServing(ctx, name)
	}
	if err != nil {
		m.update(func() { m.handover, m.active = false, old; chain, _ := m.chain(old); tryNow(chain) })
		// Not bound to ctx, which may have ended: the way back must work.
		if back := m.awaitServing(context.WithoutCancel(ctx), old); back != nil {
			err = errors.Join(err, fmt.Errorf("restarting %s failed too: %w", old, back))
		}
	}
	return err
}

// awaitOff blocks until no backend that a name stands for has a process.
func (m *Manager) awaitOff(ctx context.Context, name string) error {
	return m.await(ctx, func() (bool, error) {
		chain, err := m.chain(name)
		return !slices.ContainsFunc(chain, func(s *supervisor) bool { return s.state != Off }), err
	})
}

// Restart puts a fresh process in the place of a backend's process without
// losing a request, or starts one that is off or has failed. Codes: as Switch.
func (m *Manager) Restart(ctx context.Context, name string) error {
	if err := m.lockChanges(ctx); err != nil {
		return err
	}
	defer m.unlockChanges()
	m.mu.Lock()
	chain, err := m.chain(name)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	if name == Auto {
		return cutout.Errorf(cutout.Invalid, "name the backend to restart")
	}
	s := chain[0]
	err = s.ask(ctx, s.currentSpec())
	if errors.Is(err, errNotServing) {
		m.update(func() { s.demanded = true; tryNow(chain) })
		err = m.awaitServing(ctx, name)
	}
	return inWords(ctx, err)
}

// errNotServing means that there is no process to replace.
var errNotServing = errors.New("the backend is not serving")

// ask makes the supervisor replace the serving process.
func (s *supervisor) ask(ctx context.Context, spec Spec) error {
	r := replacement{spec: spec, result: make(chan error, 1)}
	for asked := false; !asked; {
		s.m.mu.Lock()
		serving, changed := s.proc != nil, s.m.changed
		s.m.mu.Unlock()
		if !serving {
			return errNotServing
		}
		select {
		case s.replacements <- r:
			asked = true
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.m.closing.Done():
			return errClosed
		}
	}
	select {
	case err := <-r.result:
		return err
	case <-s.m.closing.Done():
		return errClosed
	}
}

// replace starts the successor of a serving process, before the old one ends if
// both fit into memory, and returns the one that then serves; nil if none does.
func (s *supervisor) replace(ctx context.Context, old *process, r replacement) *process {
	s.m.mu.Lock()
	handOver := !s.m.fits(s)
	s.restarts++
	s.m.mu.Unlock()
	if handOver {
		s.unpublish(Draining, "making room for a fresh process")
		s.drain(old)
	}
	fresh, err := s.launch(ctx, r.spec)
	defer func() { r.result <- err }()
	switch {
	case err == nil:
		s.m.update(func() { s.spec = r.spec })
		s.publish(ctx, fresh)
		if !handOver {
			s.m.running.Go(func() { s.drain(old) })
		}
		return fresh
	case !handOver:
		s.m.noteError(s, "its replacement did not start, so the old process stays: "+reason(err))
		return old
	}
	s.failed(err, true)
	return nil
}
