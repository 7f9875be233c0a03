package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/admin"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/device"
	"bgremover.pro/core/fetch"
	"bgremover.pro/core/model"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/core/web"
)

// App is the server: the engine, the limits, the logs and the two listeners.
type App struct {
	live     *config.Live
	log      *slog.Logger
	quiet    *quiet
	level    *slog.LevelVar
	metrics  *admin.Metrics
	engine   *Engine
	limits   *ratelimit.Limiter
	loads    *ratelimit.Limiter // of models that visitors name
	devices  *device.Identifier
	access   *accesslog.Logger
	audit    *accesslog.Logger // what the operator did
	fetcher  *fetch.Fetcher
	web      *web.Server
	operator *admin.Server

	settings atomic.Pointer[web.Settings]
	browser  atomic.Pointer[model.Browser] // what visitors' devices can run, once known
	public   net.Listener
	draining atomic.Bool
}

// New wires the server and binds its addresses, so that errors appear before
// anything runs. Output receives the server log. Close ends what New began.
func New(live *config.Live, output io.Writer) (*App, error) {
	a := &App{live: live, level: &slog.LevelVar{}, metrics: admin.NewMetrics(build())}
	c := live.Current()
	a.level.Set(logLevel(c))
	a.quiet = newQuiet(newLogger(output, c.Log.Format, a.level).Handler(), a.metrics.LogLeftOut)
	a.log = slog.New(a.quiet)
	limitMemory(c, a.log)
	err := a.wireInside(c)
	if err == nil {
		err = a.wireListeners(c)
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	live.OnChange(a.apply)
	return a, nil
}

// wireInside creates what the listeners need.
func (a *App) wireInside(c *config.Config) (err error) {
	if a.engine, err = NewEngine(c, EngineOptions{Log: a.log}); err != nil {
		return err
	}
	if a.limits, err = ratelimit.New(ratelimit.Options{
		Rules:    c.Limits.Rules,
		RedisURL: c.Limits.RedisURL,
		Secret:   []byte(c.Server.DeviceSecret),
		Refused:  a.metrics.Limited,
		Log:      a.log,
	}); err != nil {
		return c.Explain("redis_url", err)
	}
	if a.loads, err = ratelimit.New(ratelimit.Options{Rules: loadRules(c), MaxKeys: 100_000}); err != nil {
		return err
	}
	a.devices = device.New(device.Options{
		Secret:         []byte(c.Server.DeviceSecret),
		TrustedProxies: c.Server.TrustedProxies,
		Log:            a.log,
	})
	lines := accesslog.Options{Settings: c.Log.Lines, Mode: c.Log.Access, Dir: c.Folders.Logs, Stdout: os.Stdout, Log: a.log}
	if a.access, err = accesslog.New(lines); err != nil {
		return err
	}
	if lines.Name = "operator"; lines.Mode == "stdout" {
		lines.Mode = "off" // each action is in the server's log too
	}
	a.audit, err = accesslog.New(lines)
	return err
}

func (a *App) wireListeners(c *config.Config) (err error) {
	a.settings.Store(webSettings(c, nil))
	a.fetcher = fetch.New(fetch.Options{Hosts: c.Server.FetchHosts})
	encryption, err := certificate(c)
	if err != nil {
		return err
	}
	if a.web, err = web.New(web.Options{
		Remover:        visitorPipeline{a.engine.Pipeline, c.Inference.BackendNames, a.metrics},
		Limiter:        a.limits,
		Devices:        a.devices,
		MayLoad:        a.mayLoad,
		Offers:         a.engine.Backends.Offers,
		Fetcher:        a.fetcher,
		Settings:       a.settings.Load,
		Ready:          a.engine.Backends.Ready,
		Observe:        a.observe,
		AccessLog:      a.access,
		Log:            a.log,
		Version:        Version,
		TLS:            encryption,
		MaxConnections: c.Server.MaxConnections,
		UploadMemory:   uploadMemory(c),
		JobTimeout:     c.Inference.Timeout,
		Tight:          a.engine.Pipeline.Tight,
	}); err != nil {
		return err
	}
	if a.public, err = listen(c); err != nil {
		return err
	}
	access, err := operatorAccess(c, a.log)
	if err != nil {
		return err
	}
	files := &inspector{store: a.engine.Store}
	a.operator, err = admin.New(admin.Options{
		Listen:  c.Operator.Listen,
		Access:  access,
		Build:   build(),
		Metrics: a.metrics,
		Log:     a.log,
		Audit:   a.audit.Line,
		Sources: admin.Sources{
			Backends:  a.engine.Backends,
			Queue:     a.queue,
			Ready:     a.ready,
			Limiter:   a.limits,
			AccessLog: a.access,
			Settings:  shownConfig{a.live},
			Folders:   []string{c.Folders.Data, c.Folders.Logs},
			Purge:     purger(c),
			Workshop:  workshop{a},

			Certificates: a.certificates(encryption, access),
			Damaged:      func() error { return files.damaged(a.live.Current().Inference.Model) },
		},
	})
	if err != nil {
		return c.Explain("admin_listen", err)
	}
	return nil
}

// Address is the first address of the public listener.
func (a *App) Address() net.Addr { return a.public.Addr() }

// Operator is the address of the operator's listener.
func (a *App) Operator() net.Addr { return a.operator.Addr() }

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

func newLogger(output io.Writer, format string, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(output, options))
	}
	return slog.New(slog.NewTextHandler(output, options))
}

func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
