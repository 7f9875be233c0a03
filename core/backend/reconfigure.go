package backend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"bgremover.pro/core/cutout"
)

// UpdateModel replaces a model by one with other variants, or adds one. Every
// process that has it loaded takes the new variants before any request does; if
// one cannot, nothing changes and the error says why.
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

// Reconfigure replaces the list of backends, the active one and the models (the
// default first); an empty argument keeps what there is. Backends that changed
// get fresh processes; removed ones finish their runs and end. Where a new one
// does not start, the old one stays, and the error says so.
// Codes: Invalid, BackendUnavailable, Timeout, Canceled.
func (m *Manager) Reconfigure(ctx context.Context, specs []Spec, active string, models ...cutout.Model) error {
	if err := m.lockChanges(ctx); err != nil {
		return err
	}
	defer m.unlockChanges()
	m.mu.Lock()
	active = cmp.Or(active, m.active)
	if len(models) == 0 {
		models = m.models
	}
	err := checkSpecs(specs, models)
	m.mu.Unlock()
	if active != Auto && !has(specs, active) {
		err = errors.Join(err, fmt.Errorf("the active backend, %q, is not configured", active))
	}
	if err != nil {
		return cutout.Wrap(cutout.Invalid, err, err.Error())
	}
	var problems []error
	if err := m.preload(ctx, models); err != nil {
		problems = append(problems, err)
		models = m.models // only we change them
	}
	var changed []*supervisor
	m.update(func() { m.models, changed = models, m.add(specs) })
	for _, s := range changed {
		spec := specs[slices.IndexFunc(specs, func(spec Spec) bool { return spec.Name == s.name })]
		if err := m.adopt(ctx, s, spec); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", spec.Name, err))
		}
	}
	if err := m.switchTo(ctx, active); err != nil {
		problems = append(problems, err)
	}
	m.update(func() { m.dismissAllBut(specs) })
	return inWords(ctx, errors.Join(problems...))
}

// preload makes the serving backend load its future first model, so that no
// request waits for that or finds that it does not load.
func (m *Manager) preload(ctx context.Context, models []cutout.Model) error {
	m.mu.Lock()
	chain, _ := m.chain(m.active)
	var p *process
	if s := m.server(chain); s != nil && s.proc.hold() {
		p = s.proc
	}
	m.mu.Unlock()
	if p == nil {
		return nil
	}
	defer p.release()
	first, ok := p.spec.first(models)
	if !ok {
		return nil
	}
	loaded, err := p.pin(ctx, first, m.options.cacheSize(p), m.options.LoadTimeout)
	if err == nil {
		p.unpin(loaded.Name)
	}
	return err
}

func has(specs []Spec, name string) bool {
	return slices.ContainsFunc(specs, func(s Spec) bool { return s.Name == name })
}

// add creates supervisors for new specs, in the order of specs and before those
// no longer configured, and returns the ones whose spec changed.
func (m *Manager) add(specs []Spec) (changed []*supervisor) {
	old := m.supervisors
	m.supervisors = nil
	for _, spec := range specs {
		i := slices.IndexFunc(old, func(s *supervisor) bool { return s.name == spec.Name })
		if i < 0 {
			s := newSupervisor(m, spec)
			if m.started {
				m.running.Go(s.live)
			}
			m.supervisors = append(m.supervisors, s)
			continue
		}
		m.supervisors = append(m.supervisors, old[i])
		if !reflect.DeepEqual(old[i].spec, spec) {
			changed = append(changed, old[i])
		}
	}
	for _, s := range old {
		if !has(specs, s.name) {
			m.supervisors = append(m.supervisors, s)
		}
	}
	return changed
}

// dismissAllBut ends the backends that are no longer configured, except one that
// is still active because its successor did not start.
func (m *Manager) dismissAllBut(specs []Spec) {
	m.supervisors = slices.DeleteFunc(m.supervisors, func(s *supervisor) bool {
		gone := !has(specs, s.name) && s.name != m.active
		if gone {
			s.want(false)
			close(s.dismissed)
		}
		return gone
	})
}

// adopt gives a backend its new configuration.
func (m *Manager) adopt(ctx context.Context, s *supervisor, spec Spec) error {
	err := s.ask(ctx, spec)
	if errors.Is(err, errNotServing) {
		m.update(func() { s.spec = spec; tryNow([]*supervisor{s}) })
		return nil
	}
	return err
}
