package app

import (
	"context"
	"errors"
	"reflect"
	"time"

	"bgremover.pro/core/admin"
	"bgremover.pro/core/config"
)

// apply puts a changed configuration into effect. Settings that need a restart have
// their old value in c, so that no part needs to know which ones these are.
func (a *App) apply(old, c *config.Config, report config.Report) {
	a.metrics.Reloaded(report.Err)
	if report.Err != nil {
		a.log.Error("configuration reload failed; keeping the previous one", "cause", report.Cause, "error", report.Err)
		return
	}
	for _, change := range report.Changes {
		a.log.Info("configuration changed", "cause", report.Cause, "key", change.Key, "from", change.From, "to", change.To, "at_restart", change.Restart)
	}
	a.level.Set(logLevel(c))
	a.limits.SetRules(c.Limits.Rules)
	a.loads.SetRules(loadRules(c))
	a.settings.Store(webSettings(c, a.browser.Load()))
	a.fetcher.Allow(c.Server.FetchHosts)
	a.engine.Pipeline.Configure(pipelineSettings(c))
	a.engine.Queue.Resize(workers(c), c.Inference.Queue)
	if err := errors.Join(a.access.Configure(c.Log.Lines), a.audit.Configure(c.Log.Lines)); err != nil {
		a.log.Error("changing the access log failed; keeping its previous settings", "error", err)
	}
	if old.Inference.Backend != c.Inference.Backend || old.Inference.Model != c.Inference.Model || !reflect.DeepEqual(old.Backends, c.Backends) {
		a.reconfigureBackends(c)
	}
}

// reconfigureBackends waits for the outcome, so that changes are reported in order;
// it gives up on a backend that takes longer than loading a model may.
func (a *App) reconfigureBackends(c *config.Config) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := a.offer(ctx, c); err != nil {
		a.log.Error("changing the backends failed; the previous ones keep serving", "error", err)
	}
}

// offer gives the backends what is configured and installed now.
func (a *App) offer(ctx context.Context, c *config.Config) error {
	specs, err := backendSpecs(c, a.engine.Store)
	models, modelErr := installed(a.engine.Store, c.Inference)
	if err = errors.Join(err, modelErr); err != nil {
		return err
	}
	return a.engine.Backends.Reconfigure(ctx, specs, c.Inference.Backend, models...)
}

func (a *App) queue() admin.Queue {
	c := a.live.Current()
	working, waiting := a.engine.Queue.Load()
	return admin.Queue{Working: working, Workers: workers(c), Waiting: waiting, Capacity: c.Inference.Queue, Tight: a.engine.Pipeline.Tight()}
}
