package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"bgremover.pro/core/config"
	"bgremover.pro/core/device"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/core/web"
)

// App is the server: the line, the limits and the listeners.
type App struct {
	live    *config.Live
	log     *slog.Logger
	level   *slog.LevelVar
	line    *Line
	limits  *ratelimit.Limiter
	devices *device.Identifier
	web     *web.Server

	settings atomic.Pointer[web.Settings]
	public   net.Listener
}

// New wires the server and takes its addresses, so that an error comes before
// anything runs. Output is for what the server says of itself.
func New(live *config.Live, output io.Writer) (_ *App, err error) {
	c := live.Current()
	a := &App{live: live, level: &slog.LevelVar{}}
	a.level.Set(logLevel(c))
	a.log = newLogger(output, c.Log.Format, a.level)
	defer func() {
		if err != nil {
			a.Close()
		}
	}()

	if a.line, err = NewLine(c, LineOptions{Log: a.log}); err != nil {
		return nil, err
	}
	if a.limits, err = ratelimit.New(ratelimit.Options{
		Rules:    limitRules(c),
		RedisURL: c.Limits.RedisURL,
		Secret:   []byte(c.Server.DeviceSecret),
		Log:      a.log,
	}); err != nil {
		return nil, err
	}
	a.devices = device.New(device.Options{
		Secret:         []byte(c.Server.DeviceSecret),
		TrustedProxies: c.Server.TrustedProxies,
		Log:            a.log,
	})
	a.settings.Store(webSettings(c))
	if a.web, err = web.New(web.Options{
		Remover:        a.line.Pipeline,
		Limiter:        a.limits,
		Devices:        a.devices,
		Settings:       a.settings.Load,
		Ready:          a.line.Backends.Ready,
		Log:            a.log,
		Version:        Version,
		MaxConnections: c.Server.MaxConnections,
		JobTimeout:     c.Inference.Timeout,
	}); err != nil {
		return nil, err
	}
	if a.public, err = net.Listen("tcp", c.Server.Listen); err != nil {
		return nil, c.Explain("listen", err)
	}
	live.OnChange(a.reconfigure)
	return a, nil
}

// Address is where visitors are served.
func (a *App) Address() net.Addr { return a.public.Addr() }

// Run serves until ctx ends, then drains: not ready for a while, no new
// connections, what runs may finish within its deadline.
func (a *App) Run(ctx context.Context) error {
	c := a.live.Current()
	if c.Server.ContactEmail == "" {
		a.log.Warn("the contact page names nobody: set contact_email (BGREMOVER_CONTACT_EMAIL)")
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, failed := errgroup.WithContext(work)
	group.Go(func() error { return ended(a.web.Serve(a.public)) })
	group.Go(func() error { return a.live.Watch(failed, nil) })
	group.Go(func() error { a.rotate(failed); return nil })
	group.Go(func() error {
		if err := a.line.Backends.Start(failed); err != nil && failed.Err() == nil {
			a.log.Error("no backend is ready; trying again", "error", err)
		}
		return nil
	})
	a.log.Info("serving", "address", "http://"+shownAddress(a.public.Addr()), "version", Version)

	select {
	case <-ctx.Done():
	case <-failed.Done():
	}
	a.drain(failed, a.live.Current())
	stop()
	return group.Wait()
}

// drain ends the listeners. Where something failed there is nothing to wait for.
func (a *App) drain(failed context.Context, c *config.Config) {
	a.log.Info("stopping", "waits", c.Server.DrainDelay, "finishes_within", c.Server.DrainTimeout)
	a.web.Drain()
	select {
	case <-time.After(c.Server.DrainDelay):
	case <-failed.Done():
	}
	ctx, cancel := context.WithTimeout(failed, c.Server.DrainTimeout)
	defer cancel()
	if err := a.web.Shutdown(ctx); err != nil {
		a.log.Warn("requests were cut off", "error", err)
		_ = a.web.Close()
	}
}

// Close ends what New began; after Run it frees what is left.
func (a *App) Close() {
	if a.public != nil {
		_ = a.public.Close()
	}
	if a.limits != nil {
		_ = a.limits.Close()
	}
	if a.line != nil {
		a.line.Close()
	}
}

// reconfigure brings a changed configuration into effect.
func (a *App) reconfigure(old, c *config.Config, report config.Report) {
	if report.Err != nil {
		a.log.Error("the configuration was left as it is", "cause", report.Cause, "error", report.Err)
		return
	}
	for _, change := range report.Changes {
		a.log.Info("configuration changed", "cause", report.Cause, "key", change.Key, "from", change.From, "to", change.To, "at_restart", change.Restart)
	}
	a.level.Set(logLevel(c))
	a.limits.SetRules(limitRules(c))
	a.settings.Store(webSettings(c))
	a.line.Pipeline.Configure(pipelineSettings(c))
	a.line.Queue.Resize(workers(c), c.Inference.Queue)
	if old.Inference.Backend != c.Inference.Backend {
		if err := a.line.Backends.Switch(context.Background(), c.Inference.Backend); err != nil {
			a.log.Error("the backend was left as it is", "error", err)
		}
	}
}

// rotate forgets yesterday's device key even on a server that nobody visits.
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

// shownAddress is what a person types to reach the listener.
func shownAddress(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
	}
	return a.String()
}

func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
