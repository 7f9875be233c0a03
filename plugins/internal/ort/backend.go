package ort

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	ort "github.com/yalue/onnxruntime_go"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/internal/process"
)

// Provider is what the runtime computes on.
type Provider struct {
	Device string // such as "cpu" or "cuda:0"
	Name   string // such as "CPUExecutionProvider"
	// Floats: graphs with integers are slower or worse on it, as on a GPU: they
	// were made for this machine's processor.
	Floats bool
	// Configure adds the provider to a session's options; nil means the CPU.
	Configure func(*ort.SessionOptions) error
	// Explain turns an error of the runtime into a cutout.Error.
	Explain func(error) error
}

// Backend implements contract.Backend with ONNX Runtime.
type Backend struct {
	name     string
	log      *slog.Logger
	started  chan struct{} // closed when the fields below are set
	failure  error
	runtime  string
	options  Options
	provider Provider
	slots    chan struct{} // one for each run at a time

	loading sync.Mutex // one Load at a time: it takes memory
	mu      sync.Mutex
	models  map[string]*model
}

// New starts a backend. It opens the library and sets up the provider in the
// background, so that the host gets its handshake at once; calls wait for that,
// and return its error.
func New(name string, log *slog.Logger, provide func(Options) (Provider, error)) *Backend {
	b := &Backend{name: name, log: log, started: make(chan struct{}), models: map[string]*model{}}
	go func() {
		defer close(b.started)
		if b.failure = b.start(provide); b.failure != nil {
			log.Error("backend cannot start; every call will fail", "error", b.failure)
		}
	}()
	return b
}

func (b *Backend) start(provide func(Options) (Provider, error)) (err error) {
	if b.options, err = OptionsFromEnv(); err != nil {
		return err
	}
	b.slots = make(chan struct{}, b.options.Concurrency)
	version, err := open(b.options.Library)
	if err != nil {
		return err
	}
	b.runtime = "ONNX Runtime " + version
	if b.provider, err = provide(b.options); err != nil {
		return b.explain(err)
	}
	return nil
}

// explain logs the runtime's own error and returns the provider's explanation,
// which knows what its device may lack.
func (b *Backend) explain(err error) error {
	b.log.Error("ONNX Runtime failed", "error", err)
	return b.provider.Explain(err)
}

func (b *Backend) await(ctx context.Context) error {
	select {
	case <-b.started:
		return b.failure
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Describe implements contract.Backend.
func (b *Backend) Describe(ctx context.Context) (contract.Description, error) {
	if err := b.await(ctx); err != nil {
		return contract.Description{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return contract.Description{
		Name: b.name, Version: "1", Device: b.provider.Device, Provider: b.provider.Name, Runtime: b.runtime,
		MaxBatch: 1, Models: slices.Sorted(maps.Keys(b.models)), Memory: process.Memory(),
	}, nil
}

// Load implements contract.Backend. All variants are made ready; while a model
// is replaced, both are in memory.
func (b *Backend) Load(ctx context.Context, spec cutout.Model) ([]int, error) {
	if err := b.await(ctx); err != nil {
		return nil, err
	}
	b.loading.Lock()
	defer b.loading.Unlock()
	start := time.Now()
	m, err := b.newModel(ctx, spec)
	if err != nil {
		return nil, err
	}
	b.exchange(spec.Name, m)
	trim() // what reading the files took
	b.log.Info("model loaded", "model", spec.Name, "sizes", m.sizes(), "took", time.Since(start).Round(time.Millisecond))
	return m.sizes(), nil
}

// Unload implements contract.Backend. It waits for the runs in progress.
func (b *Backend) Unload(ctx context.Context, name string) error {
	if err := b.await(ctx); err != nil {
		return err
	}
	b.exchange(name, nil)
	return nil
}

// exchange replaces a model by another, or by none, and frees the old one.
func (b *Backend) exchange(name string, m *model) {
	b.mu.Lock()
	old := b.models[name]
	delete(b.models, name)
	if m != nil {
		b.models[name] = m
	}
	b.mu.Unlock()
	if old != nil {
		old.close()
		trim()
	}
}

// acquire returns a loaded model that stays until it is released, or nil.
func (b *Backend) acquire(name string) *model {
	for {
		b.mu.Lock()
		m := b.models[name]
		b.mu.Unlock()
		if m == nil || m.acquire() {
			return m
		} // else it has just been replaced: look again
	}
}

// Segment implements contract.Backend. Runs beyond the number allowed at a time
// wait.
func (b *Backend) Segment(ctx context.Context, name string, input *cutout.Input) (*cutout.Mask, contract.Timing, error) {
	var timing contract.Timing
	if err := b.await(ctx); err != nil {
		return nil, timing, err
	}
	m := b.acquire(name)
	if m == nil {
		return nil, timing, contract.NotLoaded(name)
	}
	defer m.release()
	s, ok := m.sessions[input.Width]
	if !ok || input.Width != input.Height {
		return nil, timing, contract.SizeUnknown(name, input, m.sizes())
	}
	asked := time.Now()
	select {
	case b.slots <- struct{}{}:
		defer func() { <-b.slots }()
	case <-ctx.Done():
		return nil, timing, ctx.Err()
	}
	begun := time.Now()
	timing.Queued = begun.Sub(asked)
	pix, err := s.run(ctx, input.Pix, m, b.options.Threads)
	timing.Inference = time.Since(begun)
	if err != nil {
		return nil, timing, b.explainRun(err)
	}
	return &cutout.Mask{Width: input.Width, Height: input.Height, Pix: pix}, timing, nil
}

// explainRun keeps a cutout.Error and errors of contexts.
func (b *Backend) explainRun(err error) error {
	if e := (*cutout.Error)(nil); errors.As(err, &e) || cutout.CodeOf(err) != cutout.Internal {
		return err
	}
	return b.explain(err)
}
