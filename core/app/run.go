package app

import (
	"context"
	"errors"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/cutout"
)

// Run serves until ctx ends, then drains: it reports not ready for a while, then
// accepts no new connections and lets running requests finish within a limit.
func (a *App) Run(ctx context.Context) error {
	if a.live.Current().Server.ContactEmail == "" {
		a.log.Warn("the contact page shows no e-mail address; set contact_email (BGREMOVER_CONTACT_EMAIL)")
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, working := errgroup.WithContext(work)
	group.Go(func() error { return ended(a.web.Serve(a.public)) })
	group.Go(a.operator.Serve)
	group.Go(func() error { return a.live.Watch(working, nil) })
	group.Go(func() error { a.rotate(working); return nil })
	group.Go(func() error { a.tidy(working); return nil })
	group.Go(func() error { a.prepare(); return nil })
	group.Go(func() error { feedWatchdog(working, a.alive); return nil })
	group.Go(func() error { a.startBackends(working); a.derive(working); a.offerDevice(working); return nil })
	a.log.Info("serving", "visitors", shownListeners(a.public), "operator", shownOperator(a.Operator()), "version", Version)

	select {
	case <-ctx.Done():
	case <-working.Done():
	}
	a.drain(working)
	stop()
	return group.Wait()
}

func (a *App) startBackends(ctx context.Context) {
	err := a.engine.Backends.Start(ctx)
	if err != nil && ctx.Err() == nil {
		a.log.Error("no backend is ready: pages are served, photos are refused; trying again", "error", err)
	}
	notify("READY=1")
}

// ready tells the operator and Prometheus why photos cannot be served; the public
// listener knows about the drain itself.
func (a *App) ready() error {
	if a.draining.Load() {
		return cutout.Errorf(cutout.BackendUnavailable, "The server is shutting down.")
	}
	return a.engine.Backends.Ready()
}

// drain ends the listeners, the operator's last, so that the drain can be watched.
// If a listener has failed, there is nothing to wait for.
func (a *App) drain(working context.Context) {
	c := a.live.Current().Server
	a.draining.Store(true)
	a.web.Drain()
	a.log.Info("stopping", "waits", c.DrainDelay, "finishes_within", c.DrainTimeout)
	notify("STOPPING=1")
	select {
	case <-time.After(c.DrainDelay):
	case <-working.Done():
	}
	ctx, cancel := context.WithTimeout(working, c.DrainTimeout)
	defer cancel()
	if err := a.web.Shutdown(ctx); err != nil {
		a.log.Warn("drain_timeout is over; closing the remaining connections", "error", err)
		_ = a.web.Close()
	}
	_ = a.operator.Close()
}

// Close ends what New began; after Run it frees what is left.
func (a *App) Close() {
	if a.public != nil {
		_ = a.public.Close()
	}
	if a.operator != nil {
		_ = a.operator.Close()
	}
	if a.engine != nil {
		a.engine.Close()
	}
	if a.limits != nil {
		_ = a.limits.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, log := range []*accesslog.Logger{a.access, a.audit} {
		if log == nil {
			continue
		}
		if err := log.Close(ctx); err != nil {
			a.log.Error("closing a log failed", "error", err)
		}
	}
	a.quiet.end()
}

// rotate drops yesterday's device key even on a server without visitors.
func (a *App) rotate(ctx context.Context) {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			a.devices.Rotate()
		}
	}
}

func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
