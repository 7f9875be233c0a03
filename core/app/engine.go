// Package app wires everything together: from a configuration to an Engine
// that removes backgrounds, and from there to a server with its two listeners.
package app

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"

	"bgremover.pro/core/backend"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/model"
	"bgremover.pro/core/pipeline"
)

// Version is set at build time.
var Version = "unknown"

// Engine removes backgrounds, without any listener: the installed models, the
// backends that run them and the pipeline. It owns the backends' processes.
type Engine struct {
	Pipeline *pipeline.Pipeline
	Queue    *pipeline.Queue
	Backends *backend.Manager
	Store    *model.Store
}

// EngineOptions are what differs between a server and a single command.
type EngineOptions struct {
	Log *slog.Logger
	// Once is for programs that process a few photos and end: no warm-up.
	Once bool
	// OnRun, if set, is called after every run of a backend.
	OnRun func(backend.Observation)
}

// NewEngine wires an engine without starting anything. Codes:
// BackendUnavailable (the runtime or the model is not installed), Invalid.
func NewEngine(c *config.Config, options EngineOptions) (*Engine, error) {
	store := model.Open(c.Folders.Data)
	store.Log = options.Log
	models, err := installed(store, c.Inference)
	if err != nil {
		return nil, err
	}
	specs, err := backendSpecs(c, store)
	if err != nil {
		return nil, err
	}
	backends, err := backend.New(backend.Options{
		Specs:      specs,
		Active:     c.Inference.Backend,
		Models:     models,
		Log:        options.Log,
		OnRun:      options.OnRun,
		IdleAfter:  c.Inference.IdleUnload,
		RunTimeout: c.Inference.Timeout,
		SkipWarmUp: options.Once,
	})
	if err != nil {
		return nil, err
	}
	queue := pipeline.NewQueue(workers(c), c.Inference.Queue)
	return &Engine{
		Pipeline: pipeline.New(backends, queue, jobMemory(c), pipelineSettings(c)),
		Queue:    queue,
		Backends: backends,
		Store:    store,
	}, nil
}

// Close ends the backends' processes and waits for them.
func (e *Engine) Close() { e.Backends.Close() }

// installed returns the models that may run, the default one first. The
// others are optional: a damaged one is skipped with a warning.
func installed(store *model.Store, c config.Inference) ([]cutout.Model, error) {
	first, err := store.Installed(c.Model)
	if err != nil {
		return nil, err
	}
	models := []cutout.Model{first}
	for _, name := range store.Names() {
		if name == c.Model || len(c.Models) > 0 && !slices.Contains(c.Models, name) {
			continue
		}
		m, err := store.Installed(name)
		if err != nil {
			store.Log.Warn("skipping a model that cannot be used; the others serve", "model", name, "error", err)
			continue
		}
		models = append(models, m)
	}
	return models, nil
}

// workers is the number of jobs at a time: one more than the cores, so that one
// photo is decoded while others are in inference or encoded.
func workers(c *config.Config) int {
	if c.Inference.Workers > 0 {
		return c.Inference.Workers
	}
	return runtime.GOMAXPROCS(0) + 1
}

func pipelineSettings(c *config.Config) pipeline.Settings {
	return pipeline.Settings{
		Decode: decode.Limits{
			MaxSide:   c.Inference.MaxSide,
			MaxPixels: c.Inference.MaxPixels,
			MaxMemory: jobMemory(c),
			Timeout:   c.Inference.Timeout,
		},
		Mode:    cutout.Mode(c.Inference.Mode),
		Timeout: c.Inference.Timeout,
	}
}

// WithEngine is for commands: it starts an Engine, does one piece of work and closes the
// Engine.
func WithEngine(ctx context.Context, c *config.Config, log *slog.Logger, work func(*Engine) error) error {
	engine, err := NewEngine(c, EngineOptions{Log: log, Once: true})
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := engine.Backends.Start(ctx); err != nil {
		return err
	}
	return errors.Join(work(engine), ctx.Err())
}
