// Package backend runs inference backends as processes of their own: it starts,
// monitors and restarts them, swaps one for another while requests run, and gives
// each request one that works.
package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"bgremover.pro/core/cutout"
)

// Manager owns the backends. Its methods may be called at any time from any
// goroutine; those that work need Start first.
type Manager struct {
	options Options
	closing context.Context //nolint:containedctx // the Manager's own life
	close   context.CancelFunc
	running sync.WaitGroup
	// changing is held while the list of backends or the active one changes.
	changing chan struct{}

	mu          sync.Mutex
	changed     chan struct{} // closed and replaced with every change below
	supervisors []*supervisor // in configured order
	models      []cutout.Model
	active      string
	next        string // what Switch is starting; "" while it is not
	handover    bool   // no backend may serve: the old one must end before the new one starts
	serving     string // for the log
	started     bool
}

var errClosed = cutout.Wrap(cutout.BackendUnavailable, errors.New("the manager is closed"), "The server is shutting down.")

// New makes a Manager without starting anything. It reports everything that is
// wrong with the options at once.
func New(o Options) (*Manager, error) {
	o.setDefaults()
	m := &Manager{options: o, models: slices.Clone(o.Models), active: o.Active,
		changed: make(chan struct{}), changing: make(chan struct{}, 1)}
	for _, spec := range o.Specs {
		m.supervisors = append(m.supervisors, newSupervisor(m, spec))
	}
	_, activeErr := m.chain(o.Active)
	if err := errors.Join(o.validate(), activeErr); err != nil {
		return nil, err
	}
	m.closing, m.close = context.WithCancel(context.Background())
	return m, nil
}

// Start starts the active backend and returns when it is serving, or with the
// reason why it is not. The Manager keeps trying after that, so a server may
// start anyway and show the reason. Code: BackendUnavailable.
func (m *Manager) Start(ctx context.Context) error {
	if swept := sweepSockets(m.options.RunDir); swept > 0 {
		m.options.Log.Info("removed sockets left behind by a killed server", "folders", swept)
	}
	m.update(func() {
		m.started = true
		for _, s := range m.supervisors {
			m.running.Go(s.live)
		}
	})
	return m.awaitServing(ctx, m.options.Active)
}

// Close ends every process and waits until they are gone. Runs still in
// progress fail; end them first.
func (m *Manager) Close() {
	m.close()
	m.changing <- struct{}{} // a change in progress gives up
	m.running.Wait()
	<-m.changing
}

// Ready returns nil if a request would be served: a backend is ready, or would
// start because one was unloaded for lack of work. Code: BackendUnavailable.
func (m *Manager) Ready() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	chain, err := m.chain(m.active)
	if err != nil {
		return err
	}
	for _, s := range chain {
		if s.taking() != nil || s.asleep {
			return nil
		}
	}
	return m.unavailable(chain)
}

// Loaded reports whether a request with these names would find its model in
// memory. Unknown names count as loaded: they cost nothing.
func (m *Manager) Loaded(backend, model string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	candidates, err := m.candidates(backend, model)
	if err != nil {
		return true
	}
	for _, c := range candidates {
		if p := c.taking(); p != nil {
			return slices.Contains(p.names(), c.model.Name)
		}
	}
	return false
}

// Offers reports whether a request may name a model.
func (m *Manager) Offers(model string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.candidates("", model)
	return err == nil
}

// Changed returns a channel that is closed when the state of anything changes;
// take it before looking at Snapshot, so that no change is missed.
func (m *Manager) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// Active returns what was chosen: Auto or the name of a backend.
func (m *Manager) Active() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.active
}

// Snapshot returns the status of every backend, in configured order.
func (m *Manager) Snapshot() []Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	chain, _ := m.chain(m.active)
	serving := m.server(chain)
	var all []Status
	for _, s := range m.supervisors {
		status := s.status()
		status.Active = slices.Contains(chain, s)
		if status.Serving = s == serving; status.Serving && s != chain[0] {
			status.Why = fmt.Sprintf("in place of %s: %s", chain[0].name, chain[0].whyNot())
		}
		all = append(all, status)
	}
	return all
}

// chain returns the backends that a name stands for, best first.
// Code: Invalid, listing the choices.
func (m *Manager) chain(name string) ([]*supervisor, error) {
	if name == Auto {
		chain := slices.Clone(m.supervisors)
		slices.SortStableFunc(chain, func(a, b *supervisor) int { return a.spec.rank() - b.spec.rank() })
		return chain, nil
	}
	for _, s := range m.supervisors {
		if s.name == name {
			return []*supervisor{s}, nil
		}
	}
	return nil, cutout.Errorf(cutout.Invalid, "backend is one of: %s", m.choices())
}

// server returns the backend of a chain that would get the next request; nil if
// none is ready.
func (m *Manager) server(chain []*supervisor) *supervisor {
	for _, s := range chain {
		if s.taking() != nil {
			return s
		}
	}
	return nil
}

// noteError keeps an error for the status.
func (m *Manager) noteError(s *supervisor, text string) {
	m.update(func() { s.lastErr = text })
}
