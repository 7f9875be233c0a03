// Package admin is the operator's listener: the server's state, load, limits and
// settings, on one page and as metrics. The page requires a token, a client
// certificate, or the right to open a socket.
package admin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync"
	"time"

	"bgremover.pro/static"
	"bgremover.pro/templates"
)

// Options configure the listener.
type Options struct {
	Listen  string // host:port, or unix: and the path of a socket
	Access  Access
	Build   Build
	Metrics *Metrics
	Sources Sources
	Log     *slog.Logger
	// Audit, where set, takes each action of the operator, as a line of JSON.
	Audit func(line []byte)
	// Clock is the wall clock, which may jump; nil means the system's.
	Clock func() time.Time
}

// Server is the operator's listener. Close ends it and its goroutine.
type Server struct {
	Options
	door      *door
	listener  net.Listener
	server    *http.Server
	templates *templates.OperatorSet
	history   *history
	watch     *watch
	notices   notices // of switches of the backend
	work      notices // of what is done with models
	checks    notices // of checks of a backend
	events    events
	started   time.Time
	stop      context.CancelFunc
	living    context.Context //nolint:containedctx // the listener's own life
	done      sync.WaitGroup
	spawning  sync.Mutex // held while done grows, and while living ends
}

// New binds the address, and refuses one that other machines can reach without
// authentication. The metrics must not be watching these sources yet.
func New(o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	set, err := templates.NewOperator(static.Path)
	if err != nil {
		return nil, err
	}
	door, err := newDoor(o)
	if err != nil {
		return nil, err
	}
	listener, err := o.Access.listen(o.Listen)
	if err != nil {
		return nil, err
	}
	o.Metrics.Watch(o.Sources)
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{Options: o, door: door, listener: listener, templates: set, history: newHistory(o.Metrics), watch: newWatch(o.Metrics), started: time.Now(), stop: cancel, living: ctx}
	if o.Clock != nil {
		s.watch.clock = o.Clock
	}
	s.server = &http.Server{
		Handler:           headers(s.routes()),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	s.spawn(s.history.run)
	s.spawn(s.watch.run)
	return s, nil
}

// spawn runs a function until it returns; its context ends with the listener. It
// reports false if that has ended.
func (s *Server) spawn(f func(context.Context)) bool {
	s.spawning.Lock()
	defer s.spawning.Unlock()
	if s.living.Err() != nil {
		return false
	}
	s.done.Go(func() { f(s.living) })
	return true
}

// end ends what was spawned and waits for it.
func (s *Server) end() {
	s.spawning.Lock()
	s.stop()
	s.spawning.Unlock()
	s.done.Wait()
}

// Addr is the address of the operator's listener.
func (s *Server) Addr() net.Addr {
	if path, ok := strings.CutPrefix(s.Listen, "unix:"); ok {
		return &net.UnixAddr{Name: path, Net: "unix"}
	}
	return s.listener.Addr()
}

// Serve serves until Shutdown or Close, and then returns nil.
func (s *Server) Serve() error {
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown lets requests finish until ctx ends. The listener outlives the public
// one in a drain, so that the operator can watch it.
func (s *Server) Shutdown(ctx context.Context) error {
	s.end()
	return s.server.Shutdown(ctx)
}

// Close ends everything at once.
func (s *Server) Close() error {
	s.end()
	return errors.Join(s.server.Close(), ignoreClosed(s.listener.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", s.door.metrics(s.Metrics.Handler()))

	inner := http.NewServeMux()
	inner.HandleFunc("GET /{$}", s.page)
	inner.HandleFunc("GET /part/{name}", s.part)
	inner.HandleFunc("GET /backends.json", s.backendsJSON)
	inner.HandleFunc("GET /errors.json", s.failuresJSON)
	inner.HandleFunc("GET /actions.json", s.actionsJSON)
	inner.HandleFunc("GET /status.json", s.statusJSON)
	inner.HandleFunc("POST /backends/active", s.switchBackend)
	inner.HandleFunc("POST /backends/dismiss", s.dismiss)
	inner.HandleFunc("POST /backends/check", s.checkBackend)
	inner.HandleFunc("POST /backends/check/dismiss", s.dismissCheck)
	inner.HandleFunc("POST /try", s.try)
	inner.HandleFunc("GET /models.json", s.modelsJSON)
	inner.HandleFunc("POST /models/{action}", s.changeModels)
	inner.HandleFunc("GET /limits.json", s.limitsJSON)
	inner.HandleFunc("POST /limits", s.applyLimits)
	inner.HandleFunc("POST /limits/revert", s.revertLimit)
	inner.HandleFunc("POST /limits/preview", s.previewLimits)
	inner.HandleFunc("GET /devices.json", s.devicesJSON)
	inner.HandleFunc("POST /devices/{action}", s.changeDevice)
	inner.HandleFunc("POST /config/reload", s.reload)
	inner.HandleFunc("POST /config/keep", s.keep)
	inner.HandleFunc("POST /edge/purge", s.purge)
	inner.HandleFunc("GET "+static.Prefix, s.asset)
	inner.HandleFunc("GET /operator.css", own("text/css", static.OperatorCSS))
	inner.HandleFunc("GET /operator.js", own("text/javascript", static.OperatorJS))
	inner.HandleFunc("GET /debug/pprof/", pprof.Index)
	inner.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	inner.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	inner.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	inner.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.Handle("/", s.door.guard(http.NewCrossOriginProtection().Handler(inner)))
	return mux
}

// healthz reports that the process is alive.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// readyz reports whether photos can be served. Only the operator gets the cause,
// which may name files, addresses and versions.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	err := s.Sources.Ready()
	if err == nil {
		s.healthz(w, r)
		return
	}
	cause := "see the operator's page, or this URL with the operator's token, for the cause."
	if known, _ := s.door.knows(r); known {
		cause = sentence(err)
	}
	if strings.Contains(r.Header.Get("Accept"), "json") {
		writeJSON(w, http.StatusServiceUnavailable, "application/problem+json",
			map[string]any{"title": "Not ready", "status": http.StatusServiceUnavailable, "detail": cause})
		return
	}
	http.Error(w, "not ready: "+cause, http.StatusServiceUnavailable)
}

// asset serves what the page shares with the public one.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	file, current, ok := static.Open(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if current {
		w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	w.Header().Set("Content-Type", file.MediaType)
	_, _ = w.Write(file.Content) //nolint:gosec // G705: an embedded file of ours, whatever its address
}

// own serves a file of this page only.
func own(mediaType string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
		_, _ = w.Write(content)
	}
}
