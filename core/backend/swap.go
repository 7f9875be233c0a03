package backend

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"bgremover.pro/core/cutout"
)

// Switch makes another backend, or Auto, the active one. Requests go on on the
// old one until the new one serves; if it fails, the old one stays. Two that
// do not fit into memory together are swapped one after the other, and
// requests wait meanwhile. Codes: Invalid (unknown name), BackendUnavailable,
// Timeout, Canceled.
func (m *Manager) Switch(ctx context.Context, name string) error {
	if err := m.lockChanges(ctx); err != nil {
		return err
	}
	defer m.unlockChanges()
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
		m.options.Log.Error("backend was not switched", "to", name, "stays", old, "why", reason(err))
		return inWords(ctx, err)
	}
	m.options.Log.Info("backend was switched", "from", old, "to", name)
	return nil
}

// handOver ends what serves before it starts the new; if that fails, the old
// starts again.
func (m *Manager) handOver(ctx context.Context, old, name string) error {
	m.update(func() { m.handover = true; m.forget(old) })
	err := m.awaitOff(ctx, old)
	if err == nil {
		m.update(func() { m.handover, m.active = false, name; chain, _ := m.chain(name); tryNow(chain) })
		err = m.awaitServing(ctx, name)
	}
	if err != nil {
		m.update(func() { m.handover, m.active = false, old; chain, _ := m.chain(old); tryNow(chain) })
		// Not bounded by ctx, which may be what ended: the way back must work.
		if back := m.awaitServing(context.WithoutCancel(ctx), old); back != nil {
			err = errors.Join(err, fmt.Errorf("and %s did not come back: %w", old, back))
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
	return inWords(ctx, m.refresh(ctx, chain[0], chain[0].currentSpec()))
}

// refresh brings a backend to serve with a description, by a fresh process.
func (m *Manager) refresh(ctx context.Context, s *supervisor, spec Spec) error {
	m.mu.Lock()
	serving := s.proc != nil
	m.mu.Unlock()
	if serving {
		return s.ask(ctx, spec)
	}
	m.update(func() { s.spec, s.demanded, s.asleep = spec, true, false; tryNow([]*supervisor{s}) })
	return m.awaitServing(ctx, spec.Name)
}

// ask has the supervisor replace the process that serves.
func (s *supervisor) ask(ctx context.Context, spec Spec) error {
	r := replacement{spec: spec, result: make(chan error, 1)}
	select {
	case s.replacements <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.m.closing.Done():
		return errClosed
	}
	select {
	case err := <-r.result:
		return err
	case <-s.m.closing.Done():
		return errClosed
	}
}

// replace starts the successor of a process that serves, before the old one
// ends where both fit into memory, and returns whichever serves then; nil if
// none does.
func (s *supervisor) replace(ctx context.Context, old *process, r replacement) *process {
	s.m.mu.Lock()
	handOver := !s.m.fits(s)
	s.m.mu.Unlock()
	if handOver {
		s.unpublish(Draining, "makes room for a fresh process")
		s.drain(old)
	}
	fresh, err := s.launch(ctx, r.spec)
	defer func() { r.result <- err }()
	switch {
	case err == nil:
		s.m.update(func() { s.spec = r.spec })
		s.publish(fresh)
		if !handOver {
			s.m.running.Go(func() { s.drain(old) })
		}
		return fresh
	case !handOver:
		s.m.noteError(s, "a fresh process did not come up: "+reason(err))
		return old
	}
	s.failed(err, true)
	return nil
}

// UpdateModel replaces a model by one with other variants, or adds one. Every
// process that has it loaded takes the new variants before any request does;
// where one cannot, all stays as it is and the error says why.
func (m *Manager) UpdateModel(ctx context.Context, model cutout.Model) error {
	if err := m.lockChanges(ctx); err != nil {
		return err
	}
	defer m.unlockChanges()
	if err := m.reload(ctx, model); err != nil {
		return inWords(ctx, err)
	}
	m.update(func() {
		i := slices.IndexFunc(m.models, func(known cutout.Model) bool { return known.Name == model.Name })
		if i < 0 {
			m.models = append(m.models, model)
		} else {
			m.models = slices.Clone(m.models)
			m.models[i] = model
		}
	})
	// Once more, for a process that came up meanwhile with the old variants.
	return inWords(ctx, m.reload(ctx, model))
}

func (m *Manager) reload(ctx context.Context, model cutout.Model) error {
	m.mu.Lock()
	var live []*process
	for _, s := range m.supervisors {
		if s.proc != nil {
			live = append(live, s.proc)
		}
	}
	m.mu.Unlock()
	for _, p := range live {
		if !p.hold() {
			continue
		}
		err := p.reload(ctx, model, m.options.LoadTimeout)
		p.release()
		if err != nil {
			return err
		}
	}
	return nil
}

// Reconfigure takes over another list of backends. Those that are gone finish
// their runs and end; those that changed are replaced by fresh processes. If
// one of them does not come up, its old process goes on and the error says so.
func (m *Manager) Reconfigure(ctx context.Context, specs []Spec) error {
	if err := m.lockChanges(ctx); err != nil {
		return err
	}
	defer m.unlockChanges()
	m.mu.Lock()
	err := checkSpecs(specs, m.models)
	active := m.active
	m.mu.Unlock()
	if err == nil && active != Auto && !slices.ContainsFunc(specs, func(s Spec) bool { return s.Name == active }) {
		err = fmt.Errorf("backend %q is the active one; switch to another before removing it", active)
	}
	if err != nil {
		return cutout.Wrap(cutout.Invalid, err, err.Error())
	}
	var changed []*supervisor
	m.update(func() { changed = m.rearrange(specs) })
	var problems []error
	for _, s := range changed {
		i := slices.IndexFunc(specs, func(spec Spec) bool { return spec.Name == s.currentSpec().Name })
		if err := m.adopt(ctx, s, specs[i]); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", specs[i].Name, err))
		}
	}
	return inWords(ctx, errors.Join(problems...))
}

// rearrange makes the supervisors those of specs and returns the ones that
// must change.
func (m *Manager) rearrange(specs []Spec) (changed []*supervisor) {
	var kept []*supervisor
	for _, spec := range specs {
		i := slices.IndexFunc(m.supervisors, func(s *supervisor) bool { return s.spec.Name == spec.Name })
		if i < 0 {
			s := newSupervisor(m, spec)
			if m.started {
				m.running.Go(s.live)
			}
			kept = append(kept, s)
			continue
		}
		kept = append(kept, m.supervisors[i])
		if !reflect.DeepEqual(m.supervisors[i].spec, spec) {
			changed = append(changed, m.supervisors[i])
		}
	}
	for _, s := range m.supervisors {
		if !slices.Contains(kept, s) {
			s.want(false)
			close(s.dismissed)
		}
	}
	m.supervisors = kept
	return changed
}

// adopt gives a backend another description.
func (m *Manager) adopt(ctx context.Context, s *supervisor, spec Spec) error {
	m.mu.Lock()
	serving := s.proc != nil
	m.mu.Unlock()
	if serving {
		return s.ask(ctx, spec)
	}
	m.update(func() { s.spec = spec; tryNow([]*supervisor{s}) })
	return nil
}
