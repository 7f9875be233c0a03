package backend

import (
	"context"
	"slices"
	"sync"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

// shelf is the model cache of one process: each model is loaded once however many
// requests need it, and the least recently used idle one is evicted to make room.
// The default model is never evicted: requests that name others must not cost
// everyone else theirs.
type shelf struct {
	backend contract.Backend
	first   string // the model that stays; set before the process serves

	mu      sync.Mutex
	models  map[string]*shelved
	changed chan struct{} // closed and replaced when a model was loaded or released
}

type shelved struct {
	model   cutout.Model // with the variants that the backend made ready
	loading bool
	users   int
	used    time.Time
}

func newShelf(backend contract.Backend) *shelf {
	return &shelf{backend: backend, models: map[string]*shelved{}, changed: make(chan struct{})}
}

// take returns a model with the sizes that are ready, loading it first if needed;
// it stays loaded until letGo. At most room models are loaded at a time.
func (s *shelf) take(ctx context.Context, model cutout.Model, room int, limit time.Duration) (cutout.Model, error) {
	for {
		s.mu.Lock()
		m := s.models[model.Name]
		if m != nil && !m.loading {
			m.users++
			s.mu.Unlock()
			return m.model, nil
		}
		changed := s.changed
		var failed chan error
		if m == nil {
			if victims, ok := s.makeRoom(room); ok {
				s.models[model.Name] = &shelved{loading: true}
				failed = make(chan error, 1)
				// Not bound to this request: others wait for the same model.
				go s.load(context.WithoutCancel(ctx), model, victims, limit, failed)
			}
		}
		s.mu.Unlock()
		select {
		case err := <-failed:
			return cutout.Model{}, err
		case <-changed:
		case <-ctx.Done():
			return cutout.Model{}, ctx.Err()
		}
	}
}

func (s *shelf) letGo(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.models[name]; m != nil {
		m.users--
		m.used = time.Now()
		s.notify()
	}
}

// makeRoom evicts idle models until one more fits; false if too many are in use.
func (s *shelf) makeRoom(room int) (victims []string, ok bool) {
	for len(s.models)-len(victims) >= room {
		oldest := ""
		for name, m := range s.models {
			if name == s.first && room > 1 {
				continue
			}
			if m.users > 0 || m.loading || slices.Contains(victims, name) {
				continue
			}
			if oldest == "" || m.used.Before(s.models[oldest].used) {
				oldest = name
			}
		}
		if oldest == "" {
			return nil, false
		}
		victims = append(victims, oldest)
	}
	for _, name := range victims {
		delete(s.models, name)
	}
	return victims, true
}

func (s *shelf) load(ctx context.Context, model cutout.Model, victims []string, limit time.Duration, failed chan<- error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for _, name := range victims {
		// If this fails, so does the next call, whose error is reported.
		_ = s.backend.Unload(ctx, name)
	}
	ready, err := s.ask(ctx, model)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.notify()
	if err != nil {
		delete(s.models, model.Name)
		failed <- err
		return
	}
	s.models[model.Name] = &shelved{model: ready, used: time.Now()}
}

// reload gives a loaded model its new variants; runs go on meanwhile. On an
// error the old ones stay.
func (s *shelf) reload(ctx context.Context, model cutout.Model, limit time.Duration) error {
	s.mu.Lock()
	m := s.models[model.Name]
	for m != nil && m.loading {
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.mu.Lock()
		m = s.models[model.Name]
	}
	if m == nil || slices.Equal(m.model.Variants, model.Variants) {
		s.mu.Unlock()
		return nil
	}
	m.users++
	s.mu.Unlock()
	defer s.letGo(model.Name)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ready, err := s.ask(ctx, model)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.model = ready
	return nil
}

// ask loads a model and keeps the variants whose sizes are ready.
func (s *shelf) ask(ctx context.Context, model cutout.Model) (cutout.Model, error) {
	sizes, err := s.backend.Load(ctx, model)
	if err != nil {
		return cutout.Model{}, err
	}
	model.Variants = slices.DeleteFunc(slices.Clone(model.Variants), func(v cutout.Variant) bool {
		return !slices.Contains(sizes, v.Size)
	})
	if len(model.Variants) == 0 {
		return cutout.Model{}, cutout.Errorf(cutout.BackendUnavailable, "the backend loaded no size of model %s", model.Name)
	}
	return model, nil
}

// names lists the models that are loaded.
func (s *shelf) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name, m := range s.models {
		if !m.loading {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (s *shelf) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}
