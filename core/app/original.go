package app

import (
	"bgremover.pro/core/backend"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/model"
)

// NewOriginal returns separate backends, not yet started, that run the default
// model as published, even if faster graphs were derived from it: the reference
// for measurements. Codes: as of NewEngine.
func NewOriginal(c *config.Config, options EngineOptions) (*backend.Manager, error) {
	store := model.Open(c.Folders.Data)
	store.Log = options.Log
	original, err := store.Original(c.Inference.Model)
	if err != nil {
		return nil, err
	}
	specs, err := backendSpecs(c, store)
	if err != nil {
		return nil, err
	}
	return backend.New(backend.Options{
		Specs: specs, Active: c.Inference.Backend, Models: []cutout.Model{original},
		Log: options.Log, RunTimeout: c.Inference.Timeout, SkipWarmUp: options.Once,
	})
}
