package backend

import (
	"context"
	"slices"
	"sync"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

// modelCache holds the models of one process: each is loaded once however many
// requests need it, and the least recently used idle one is evicted to make room.
// The default model is never evicted: requests that name others must not cost
// everyone else theirs.
type modelCache struct {
	backend contract.Backend
	first   string // the model that stays; set before the process serves

	mu      sync.Mutex
	models  map[string]*cachedModel
	changed chan struct{} // closed and replaced when a model was loaded or released
}

type cachedModel struct {
	model   cutout.Model // with the variants that the backend made ready
	loading bool
	users   int
	used    time.Time
}

func newModelCache(backend contract.Backend) *modelCache {
	return &modelCache{backend: backend, models: map[string]*cachedModel{}, changed: make(chan struct{})}
}

// pin returns a model with the sizes that are ready, loading it first if needed;
// it stays loaded until unpin. At most size models are loaded at a time.
func (c *modelCache) pin(ctx context.Context, model cutout.Model, size int, limit time.Duration) (cutout.Model, error) {
	for {
		c.mu.Lock()
		m := c.models[model.Name]
		if m != nil && !m.loading {
			m.users++
			c.mu.Unlock()
			return m.model, nil
		}
		changed := c.changed
		var failed chan error
		if m == nil {
			if victims, ok := c.evict(size); ok {
				c.models[model.Name] = &cachedModel{loading: true}
				failed = make(chan error, 1)
				// Not bound to this request: others wait for the same model.
				go c.load(context.WithoutCancel(ctx), model, victims, limit, failed)
			}
		}
		c.mu.Unlock()
		select {
		case err := <-failed:
			return cutout.Model{}, err
		case <-changed:
		case <-ctx.Done():
			return cutout.Model{}, ctx.Err()
		}
	}
}

func (c *modelCache) unpin(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.models[name]; m != nil {
		m.users--
		m.used = time.Now()
		c.notify()
	}
}

// evict removes idle models until one more fits; false if too many are in use.
func (c *modelCache) evict(size int) (victims []string, ok bool) {
	for len(c.models)-len(victims) >= size {
		oldest := ""
		for name, m := range c.models {
			if name == c.first && size > 1 {
				continue
			}
			if m.users > 0 || m.loading || slices.Contains(victims, name) {
				continue
			}
			if oldest == "" || m.used.Before(c.models[oldest].used) {
				oldest = name
			}
		}
		if oldest == "" {
			return nil, false
		}
		victims = append(victims, oldest)
	}
	for _, name := range victims {
		delete(c.models, name)
	}
	return victims, true
}

func (c *modelCache) load(ctx context.Context, model cutout.Model, victims []string, limit time.Duration, failed chan<- error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for _, name := range victims {
		// If this fails, so does the next call, whose error is reported.
		_ = c.backend.Unload(ctx, name)
	}
	ready, err := c.ask(ctx, model)
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.notify()
	if err != nil {
		delete(c.models, model.Name)
		failed <- err
		return
	}
	c.models[model.Name] = &cachedModel{model: ready, used: time.Now()}
}

// reload gives a loaded model its new variants; runs go on meanwhile. On an
// error the old ones stay.
func (c *modelCache) reload(ctx context.Context, model cutout.Model, limit time.Duration) error {
	c.mu.Lock()
	m := c.models[model.Name]
	for m != nil && m.loading {
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
		c.mu.Lock()
		m = c.models[model.Name]
	}
	if m == nil || slices.Equal(m.model.Variants, model.Variants) {
		c.mu.Unlock()
		return nil
	}
	m.users++
	c.mu.Unlock()
	defer c.unpin(model.Name)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ready, err := c.ask(ctx, model)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m.model = ready
	return nil
}

// ask loads a model and keeps the variants whose sizes are ready.
func (c *modelCache) ask(ctx context.Context, model cutout.Model) (cutout.Model, error) {
	sizes, err := c.backend.Load(ctx, model)
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
func (c *modelCache) names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for name, m := range c.models {
		if !m.loading {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (c *modelCache) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// cacheSize is the number of models that a process may keep loaded: at least as many as run
// at a time, or a request could wait forever.
func (o *Options) cacheSize(p *process) int { return max(o.MaxModels, cap(p.slots)) }
