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

// find acquires a process for a lease: it waits for one that is starting, and
// starts one on demand. It avoids a process that has failed this lease before.
func (m *Manager) find(ctx context.Context, backend, model string, failed *process) (*placement, error) {
	var found *placement
	err := m.await(ctx, func() (bool, error) {
		candidates, err := m.candidates(backend, model)
		if err != nil {
			return false, err
		}
		pending := m.handover
		for _, c := range candidates {
			p := c.taking()
			if p != nil && p != failed && !p.doubted.Load() && !p.ending() && p.hold() {
				c.process, found = p, c
				return true, nil
			}
			if c.asleep || backend != "" && c.wish == nil && !m.handover {
				if err := m.demand(c.supervisor, backend != ""); err != nil {
					return false, err
				}
				return false, nil
			}
			pending = pending || c.promising(failed)
		}
		if !pending {
			return false, m.unavailable(chainOf(candidates))
		}
		return false, nil
	})
	if err != nil {
		return nil, inWords(ctx, err)
	}
	return found, nil
}

// await blocks until look, called with the lock held after each change, is
// true or an error.
func (m *Manager) await(ctx context.Context, look func() (bool, error)) error {
	for {
		m.mu.Lock()
		done, err := look()
		changed := m.changed
		m.mu.Unlock()
		if done || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-m.closing.Done():
			return errClosed
		}
	}
}

// taking returns the process that takes runs; nil if there is none, or if it
// reports that it cannot serve.
func (s *supervisor) taking() *process {
	if s.state == Unavailable {
		return nil
	}
	return s.proc
}

// promising reports whether it makes sense to wait for a backend.
func (s *supervisor) promising(failed *process) bool {
	switch s.state {
	case Ready:
		// A doubted process either answers again or is replaced.
		return s.proc != failed || failed.doubted.Load() || failed.ending()
	case Starting, Warming:
		return true
	case Unavailable:
		return false
	}
	resting := s.breaker.open(s.m.options.Restart) && time.Now().Before(s.breaker.next)
	return s.wish != nil && !resting
}

// candidates lists where a lease may run, best first, each with its model.
func (m *Manager) candidates(backend, model string) ([]*placement, error) {
	chain, err := m.chain(cmp.Or(backend, m.active))
	if err != nil {
		return nil, err
	}
	var found []*placement
	for _, s := range chain {
		if model == "" {
			if first, ok := s.spec.first(m.models); ok {
				found = append(found, &placement{supervisor: s, model: first})
			}
			continue
		}
		for _, known := range m.models {
			if known.Name == model && s.spec.allows(model) {
				found = append(found, &placement{supervisor: s, model: known})
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
		names = append(names, s.name)
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

func chainOf(placements []*placement) []*supervisor {
	var chain []*supervisor
	for _, p := range placements {
		chain = append(chain, p.supervisor)
	}
	return chain
}

// unavailable is the error for a chain in which no backend is serving, with the
// time of the next attempt. Names and reasons are its cause, for the log.
func (m *Manager) unavailable(chain []*supervisor) error {
	var causes []error
	var soonest time.Time
	for _, s := range chain {
		causes = append(causes, fmt.Errorf("%s: %s", s.name, s.whyNot()))
		if next := s.breaker.next; soonest.IsZero() || next.Before(soonest) {
			soonest = next
		}
	}
	return &cutout.Error{Code: cutout.BackendUnavailable, Err: errors.Join(causes...),
		RetryAfter: max(time.Second, time.Until(soonest)),
		Message:    "The server cannot process photos at the moment. Please try again later."}
}

// first returns the model that a backend loads at start and runs for requests
// that name none.
func (s Spec) first(models []cutout.Model) (cutout.Model, bool) {
	if len(s.Models) == 0 && len(models) > 0 {
		return models[0], true
	}
	for _, name := range s.Models {
		for _, m := range models {
			if m.Name == name {
				return m, true
			}
		}
	}
	return cutout.Model{}, false
}
