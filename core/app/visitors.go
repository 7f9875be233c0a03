package app

import (
	"context"
	"slices"
	"strings"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/admin"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/pipeline"
	"bgremover.pro/core/ratelimit"
)

// visitorPipeline is the pipeline as visitors may use it: only the backends that the
// operator offers, and every photo counted.
type visitorPipeline struct {
	*pipeline.Pipeline
	backends []string // empty: all
	metrics  *admin.Metrics
}

func (v visitorPipeline) Remove(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
	if name := job.Options.Backend; name != "" && len(v.backends) > 0 && !slices.Contains(v.backends, name) {
		return nil, cutout.Errorf(cutout.Invalid, "backend is one of: %s", strings.Join(v.backends, ", "))
	}
	result, err := v.Pipeline.Remove(ctx, job)
	v.metrics.Photo(result, err)
	return result, err
}

// mayLoad keeps visitors from making the server load and unload models all the
// time by naming different ones: a model that is not in memory is charged to the
// device and its network, programs with a key included.
func (a *App) mayLoad(ctx context.Context, who ratelimit.Key, o cutout.Options) error {
	if o.Model == "" && o.Backend == "" || a.engine.Backends.Loaded(o.Backend, o.Model) {
		return nil
	}
	d := a.loads.Charge(ctx, ratelimit.Key{Device: who.Device, Addr: who.Addr}, 1)
	if d.Allowed {
		return nil
	}
	a.metrics.Limited("loads")
	return &cutout.Error{Code: cutout.RateLimited, RetryAfter: d.RetryAfter,
		Message: "You have requested too many models that are not loaded. Leave out model and backend, or try again later."}
}

// observe counts a response, and keeps its failure for the operator.
func (a *App) observe(r accesslog.Request) {
	a.metrics.Request(r)
	if r.Err != nil {
		a.operator.Failed(r)
	}
}
