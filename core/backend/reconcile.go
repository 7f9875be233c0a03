package backend

import (
	"context"

	"bgremover.pro/core/cutout"
)

// update changes the Manager's state, reconciles the backends with it and wakes
// everyone who waits for a change.
func (m *Manager) update(change func()) {
	m.mu.Lock()
	change()
	m.reconcile()
	note := m.noteServing()
	close(m.changed)
	m.changed = make(chan struct{})
	m.mu.Unlock()
	if note != nil {
		note()
	}
}

// reconcile decides for every backend whether it should have a process: the first
// of the active chain, and each later one while all before it are down, until
// one of them serves again; the same for the chain that Switch is about to make
// active; and every backend that a request named.
func (m *Manager) reconcile() {
	if !m.started {
		return
	}
	wanted := map[*supervisor]bool{}
	for _, name := range []string{m.active, m.next} {
		chain, err := m.chain(name)
		if err != nil || m.handover {
			continue
		}
		awaited := false
		for _, s := range chain {
			if s.taking() != nil {
				wanted[s] = !s.asleep
				break
			}
			if !awaited {
				wanted[s] = !s.asleep
			}
			awaited = awaited || !s.down()
		}
	}
	for _, s := range m.supervisors {
		s.want(wanted[s] || s.demanded)
	}
}

// noteServing returns what to log if the serving backend has changed.
func (m *Manager) noteServing() func() {
	chain, _ := m.chain(m.active)
	s := m.server(chain)
	if s == nil || s.name == m.serving {
		return nil
	}
	m.serving = s.name
	log, name, device, first := m.options.Log, s.name, s.about.Device, chain[0]
	if s == first {
		return func() { log.Info("backend is serving", "backend", name, "device", device) }
	}
	instead, why := first.name, first.whyNot()
	return func() {
		log.Warn("fallback backend is serving", "backend", name, "device", device, "instead_of", instead, "why", why)
	}
}

// awaitServing blocks until a backend that the name stands for serves, or all
// of them have failed.
func (m *Manager) awaitServing(ctx context.Context, name string) error {
	return m.await(ctx, func() (bool, error) {
		chain, err := m.chain(name)
		if err != nil || m.server(chain) != nil {
			return true, err
		}
		for _, s := range chain {
			if !s.down() || s.state != Failed && s.state != Unavailable {
				return false, nil
			}
		}
		return false, m.unavailable(chain)
	})
}

// lockChanges makes the caller the only one who may change the list of backends
// or the active one.
func (m *Manager) lockChanges(ctx context.Context) error {
	select {
	case m.changing <- struct{}{}:
	case <-ctx.Done():
		return inWords(ctx, ctx.Err())
	}
	if m.closing.Err() != nil {
		<-m.changing
		return errClosed
	}
	return nil
}

func (m *Manager) unlockChanges() { <-m.changing }

// tryNow makes failed backends start at once, as if for the first time.
func tryNow(chain []*supervisor) {
	for _, s := range chain {
		s.asleep, s.unfit = false, false
		s.breaker = breaker{ready: s.breaker.ready}
		select {
		case s.again <- struct{}{}:
		default:
		}
	}
}

// forget drops the demand of requests for the backends of a name.
func (m *Manager) forget(name string) {
	chain, _ := m.chain(name)
	for _, s := range chain {
		s.demanded = false
	}
}

// demand starts a backend for a request.
func (m *Manager) demand(s *supervisor, named bool) error {
	if s.state == Off && !m.fits(s) {
		return cutout.Errorf(cutout.BackendUnavailable, "There is not enough memory to run backend %s in addition to the current one. Please choose another backend.", s.name)
	}
	s.demanded = s.demanded || named
	s.asleep = false
	m.reconcile()
	return nil
}
