package app

import (
	"context"
	"path/filepath"

	"bgremover.pro/core/config"
)

// DeriveProgram is the program that makes faster graphs; it lies with the
// backends.
func DeriveProgram(c *config.Config) string {
	return filepath.Join(PluginDir(c), "onnx-derive")
}

// derive makes the default model faster on a machine where set-up has not, and
// has the backends take over what came of it. Meanwhile the installed model
// serves; whatever goes wrong here, it goes on doing so.
func (a *App) derive(ctx context.Context) {
	c := a.live.Current()
	store, name := a.line.Store, c.Inference.Model
	if _, err := store.Derived(name); err == nil {
		return
	}
	a.log.Info("making the model faster on this machine", "model", name)
	derived, err := store.Derive(ctx, name, DeriveProgram(c))
	if err != nil {
		if ctx.Err() == nil {
			a.log.Warn("the model serves as it is", "model", name, "error", err)
		}
		return
	}
	if derived.Reason != "" {
		a.log.Info("the model serves as it is", "model", name, "reason", derived.Reason)
		return
	}
	faster, err := store.Installed(name)
	if err == nil {
		err = a.line.Backends.UpdateModel(ctx, faster)
	}
	if err != nil && ctx.Err() == nil {
		a.log.Warn("the model serves as it is", "model", name, "error", err)
		return
	}
	a.log.Info("the faster model serves", "model", name, "sizes", faster.Sizes())
}
