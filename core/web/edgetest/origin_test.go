package edgetest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/device"
	"bgremover.pro/core/httpcache"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/core/web"
	"bgremover.pro/ops/testing/ports"
	"bgremover.pro/templates"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// origin is the public listener, which may end and come back at its address.
// It counts what reaches it.
type origin struct {
	t        testing.TB
	server   *web.Server
	address  string
	settings atomic.Pointer[web.Settings]
	limiter  *ratelimit.Limiter
	jobs     atomic.Int64
	extra    http.Handler // where set, answers below /bare/

	mu   sync.Mutex
	seen map[string]int // by "METHOD request-target"
	stop func()
}

// Remove answers the upload itself, so that a result is known by who sent it.
func (o *origin) Remove(_ context.Context, job cutout.Job) (*cutout.Result, error) {
	o.jobs.Add(1)
	return &cutout.Result{
		File: bytes.Clone(job.Upload), MediaType: "image/png", Width: 4, Height: 3, Subject: cutout.SubjectFound,
		Run: cutout.Run{Backend: "test", Model: "isnet", Mode: job.Options.Mode},
	}, nil
}

func startOrigin(t testing.TB) *origin {
	t.Helper()
	o := &origin{t: t, seen: map[string]int{}}
	o.settings.Store(&web.Settings{
		SiteName: "BGRemover", ContactEmail: "owner@example.org", Limits: templates.Limits{MaxUpload: 64 << 20, MaxPixels: 50_000_000, MaxPhotos: 10},
		Privacy: templates.Privacy{Device: templates.Rate{Count: 1000, Period: time.Hour}, LogDays: 30, Proxies: true}, Cache: httpcache.DefaultLifetimes,
	})
	var err error
	if o.limiter, err = ratelimit.New(ratelimit.Options{Rules: ratelimit.Rules{Device: ratelimit.Rate{Count: 1000, Period: time.Hour}}}); err != nil {
		t.Fatal(err)
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	if o.server, err = web.New(web.Options{
		Remover: o, Limiter: o.limiter, Devices: device.New(device.Options{TrustedProxies: proxies}),
		Settings: o.settings.Load, Version: "test",
	}); err != nil {
		t.Fatal(err)
	}
	o.address = ports.Free(t)
	o.start()
	t.Cleanup(func() { o.stop() })
	return o
}

// start listens, at the address of before where there was one.
func (o *origin) start() {
	o.t.Helper()
	listener, err := net.Listen("tcp", o.address)
	if err != nil {
		o.t.Fatal(err)
	}
	o.address = listener.Addr().String()
	server := &http.Server{Handler: o}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	o.stop = sync.OnceFunc(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			o.t.Error(err)
		}
	})
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.seen[r.Method+" "+r.RequestURI]++
	o.mu.Unlock()
	if o.extra != nil && len(r.URL.Path) > 6 && r.URL.Path[:6] == "/bare/" {
		o.extra.ServeHTTP(w, r)
		return
	}
	o.server.ServeHTTP(w, r)
}

// requests counts what has reached the origin, health checks left out.
func (o *origin) requests() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for what, count := range o.seen {
		if what != "GET /healthz" {
			n += count
		}
	}
	return n
}

// change alters the settings in force.
func (o *origin) change(alter func(*web.Settings)) {
	changed := *o.settings.Load()
	alter(&changed)
	o.settings.Store(&changed)
}

// limit gives each device so many photos an hour.
func (o *origin) limit(count int64) {
	o.limiter.SetRules(ratelimit.Rules{Device: ratelimit.Rate{Count: count, Period: time.Hour}})
}

func (o *origin) port() string {
	_, port, _ := net.SplitHostPort(o.address)
	return port
}
