package app

import (
	"context"
	"path/filepath"

	"bgremover.pro/core/config"
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
	store, name := a.line.Store, c.Inference.Model
	if _, err := store.Derived(name); err == nil {
		return
	}
	a.log.Info("optimising the model for this machine; the installed model serves meanwhile", "model", name)
	derived, err := store.Derive(ctx, name, DeriveProgram(c))
	if err != nil {
		if ctx.Err() == nil {
			a.log.Warn("optimising the model failed; keeping the installed model", "model", name, "error", err)
		}
		return
	}
	if derived.Reason != "" {
		a.log.Info("the model cannot be optimised on this machine; keeping the installed model", "model", name, "reason", derived.Reason)
		return
	}
	faster, err := store.Installed(name)
	if err == nil {
		err = a.line.Backends.UpdateModel(ctx, faster)
	}
	if err != nil && ctx.Err() == nil {
		a.log.Warn("optimising the model failed; keeping the installed model", "model", name, "error", err)
		return
	}
	a.log.Info("the optimised model is serving", "model", name, "sizes", faster.Sizes())
}
