package app

import (
	"io"
	"log/slog"
	"net"
	"os"
	"sync/atomic"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/admin"
	"bgremover.pro/core/config"
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

func newLogger(output io.Writer, format string, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(output, options))
	}
	return slog.New(slog.NewTextHandler(output, options))
}
