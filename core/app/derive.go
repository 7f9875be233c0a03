package app

import (
	"context"
	"path/filepath"

	"bgremover.pro/core/config"
	"bgremover.pro/core/model"
)

// DeriveProgram is the program that makes faster graphs; it is installed with the
// backends.
func DeriveProgram(c *config.Config) string {
	return filepath.Join(PluginDir(c), "onnx-derive")
}

// derive optimises the default model for this machine if set-up has not, and gives
// the result to the backends. Until then, and if anything fails, the installed
// model serves.
func (a *App) derive(ctx context.Context) {
	c := a.live.Current()
	store, name := a.engine.Store, c.Inference.Model
	if _, err := store.Derived(name); err == nil {
		return
	}
	a.log.Info("optimising the model for this machine; the installed model serves meanwhile", "model", name)
	derived, err := a.deriveModel(ctx, name)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		a.log.Warn("optimising the model failed; keeping the installed model", "model", name, "error", err)
	case derived.Reason != "":
		a.log.Info("the model cannot be optimised on this machine; keeping the installed model", "model", name, "reason", derived.Reason)
	default:
		a.log.Info("the optimised model is serving", "model", name, "graphs", len(derived.Graphs))
	}
}

// deriveModel makes faster graphs from a model and gives them to the backends.
func (a *App) deriveModel(ctx context.Context, name string) (model.Derived, error) {
	derived, err := a.engine.Store.Derive(ctx, name, DeriveProgram(a.live.Current()))
	if err != nil || derived.Reason != "" {
		return derived, err
	}
	faster, err := a.engine.Store.Installed(name)
	if err == nil {
		err = a.engine.Backends.UpdateModel(ctx, faster)
	}
	return derived, err
}
