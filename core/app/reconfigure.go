package app

import (
	"context"
	"errors"
	"reflect"
	"time"

	"bgremover.pro/core/admin"
	"bgremover.pro/core/config"
	"bgremover.pro/core/web"
)

// apply brings a changed configuration into effect. What waits for the next start
// is in c as it was before, so that no part needs to know which settings do.
func (a *App) apply(old, c *config.Config, report config.Report) {
	a.metrics.Reloaded(report.Err)
	if report.Err != nil {
		a.log.Error("the configuration was left as it is", "cause", report.Cause, "error", report.Err)
		return
	}
	for _, change := range report.Changes {
		a.log.Info("configuration changed", "cause", report.Cause, "key", change.Key, "from", change.From, "to", change.To, "at_restart", change.Restart)
	}
	a.level.Set(logLevel(c))
	a.limits.SetRules(limitRules(c))
	a.loads.SetRules(loadRules(c))
	a.settings.Store(webSettings(c))
	a.line.Pipeline.Configure(pipelineSettings(c))
	a.line.Queue.Resize(workers(c), c.Inference.Queue)
	if err := a.access.Configure(accessSettings(c)); err != nil {
		a.log.Error("the access log was left as it is", "error", err)
	}
	if old.Inference.Backend != c.Inference.Backend || old.Inference.Model != c.Inference.Model || !reflect.DeepEqual(old.Backends, c.Backends) {
		a.reconfigureBackends(c)
	}
}

// reconfigureBackends waits for the outcome, so that whoever asked is told in
// order; a backend that takes longer than loading its model may is given up.
func (a *App) reconfigureBackends(c *config.Config) {
	specs, err := backendSpecs(c, a.line.Store)
	models, modelErr := installed(a.line.Store, c.Inference)
	if err = errors.Join(err, modelErr); err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		err = a.line.Backends.Reconfigure(ctx, specs, c.Inference.Backend, models...)
	}
	if err != nil {
		a.log.Error("the backends were left as they are", "error", err)
	}
}

// observe counts an answer.
func (a *App) observe(x web.Exchange) {
	a.metrics.Request(admin.Request{
		Route: x.Route, Method: x.Method, Status: x.Status, Cache: x.Class,
		Received: x.Received, Sent: x.Sent, Duration: x.Duration,
	})
}

func (a *App) queue() admin.Queue {
	c := a.live.Current()
	working, waiting := a.line.Queue.Load()
	return admin.Queue{Working: working, Workers: workers(c), Waiting: waiting, Capacity: c.Inference.Queue}
}
