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
	// Batch: a run of several pictures takes less than their own runs would.
	Batch bool
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
	queue    *queue

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
	version, err := open(b.options.Library)
	if err != nil {
		return err
	}
	b.runtime = "ONNX Runtime " + version
	if b.provider, err = provide(b.options); err != nil {
		return b.explain(err)
	}
	b.queue = &queue{workers: b.options.Concurrency, work: b.compute}
	if b.provider.Batch {
		b.queue.workers = 1
	}
	return nil
}

// most is the number of pictures that one run may take. While they run, as many others
// are prepared or wait.
func (b *Backend) most() int {
	if !b.provider.Batch {
		return 1
	}
	return (b.options.Concurrency + 1) / 2
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
		MaxBatch: b.most(), Models: slices.Sorted(maps.Keys(b.models)), Memory: process.Memory(),
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
	s, ok := m.sessions[input.Width]
	if !ok || input.Width != input.Height {
		defer m.release()
		return nil, timing, contract.SizeUnknown(name, input, m.sizes())
	}
	buffers, err := s.take()
	if err != nil {
		defer m.release()
		return nil, timing, b.explainRun(err)
	}
	free := func() {
		s.put(buffers)
		m.release()
	}
	buffers.input.Fill(input.Pix, m.spec, b.options.Threads)
	asked := time.Now()
	c := &call{ctx: ctx, session: s, buffers: buffers, done: make(chan struct{})}
	b.queue.add(c)
	select {
	case <-c.done:
		defer free()
	case <-ctx.Done():
		go func() { // the run may go on for others, or until its current node has ended
			<-c.done
			free()
		}()
		return nil, timing, ctx.Err()
	}
	if c.err != nil {
		return nil, timing, b.explainRun(c.err)
	}
	pix, err := c.output.Mask(m.spec.Post, input.Width*input.Height, b.options.Threads)
	if err != nil {
		return nil, timing, b.explainRun(err)
	}
	timing.Queued, timing.Inference = c.begun.Sub(asked), time.Since(c.begun)
	return &cutout.Mask{Width: input.Width, Height: input.Height, Pix: pix}, timing, nil
}

// compute runs calls together. If that fails, each has a run of its own, and later runs of
// the session take fewer: the device may not have the memory.
func (b *Backend) compute(calls []*call) {
	s := calls[0].session
	err := s.infer(calls)
	if err == nil || len(calls) == 1 || cutout.CodeOf(err) == cutout.Canceled {
		for _, c := range calls {
			c.end(err)
		}
		return
	}
	s.most.Store(int64(len(calls) / 2))
	b.log.Warn("a run of several pictures failed; each gets its own", "pictures", len(calls), "tensor", s.input.Dimensions, "error", err)
	for i := range calls {
		b.compute(calls[i : i+1])
	}
}

// explainRun keeps a cutout.Error and errors of contexts.
func (b *Backend) explainRun(err error) error {
	if e := (*cutout.Error)(nil); errors.As(err, &e) || cutout.CodeOf(err) != cutout.Internal {
		return err
	}
	return b.explain(err)
}
