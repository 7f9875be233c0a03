package web

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/device"
)

// Server is the public listener.
type Server struct {
	options Options
	log     *slog.Logger
	devices *device.Identifier
	limits  Limiter
	engine  *gin.Engine
	http    *http.Server
	uploads *tracker
	memory  *pool
	running *shares // requests, by client

	draining atomic.Bool
	current  atomic.Pointer[generation]
	refused  atomic.Pointer[Settings] // settings that could not be shown
	renewing sync.Mutex
}

// Times that hold for every connection; uploads have their own pace.
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 20 * time.Second
	answerTimeout = time.Minute
	idleTimeout   = time.Minute
	maxHeader     = 16 << 10
)

// New makes the listener. It returns an error where the pages cannot be made.
func New(o Options) (*Server, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Server{
		options: o, log: o.Log, devices: o.Devices, limits: o.Limiter,
		uploads: newTracker(), memory: newPool(o.UploadMemory), running: newShares(o.MaxConnections),
	}
	first, err := s.newGeneration(o.Settings())
	if err != nil {
		return nil, err
	}
	s.current.Store(first)
	s.engine = s.register()
	s.http = &http.Server{
		Handler:           s,
		TLSConfig:         o.TLS,
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnState:         follow,
		ErrorLog:          log.New(acceptErrors{o.Log}, "", 0),
	}
	return s, nil
}

// acceptErrors passes on what net/http says of the listener. The rest names
// visitors' addresses, and the log keeps none.
type acceptErrors struct{ log *slog.Logger }

func (e acceptErrors) Write(line []byte) (int, error) {
	if bytes.HasPrefix(line, []byte("http: Accept error")) {
		e.log.Warn("connections cannot be accepted", "error", string(bytes.TrimSpace(line)))
	}
	return len(line), nil
}

// Serve answers connections until Shutdown or Close; it then returns
// http.ErrServerClosed. TLS is made on top of the bounds on connections, as
// net/http knows encrypted connections by their type.
func (s *Server) Serve(l net.Listener) error {
	bounded := newConnections(l, s.options.MaxConnections, s.devices.Trusted)
	if s.options.TLS != nil {
		return s.http.ServeTLS(bounded, "", "")
	}
	return s.http.Serve(bounded)
}

// Drain makes /readyz say that this server is about to go, so that a balancer
// sends no more visitors; those who come are served.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown waits for the requests in flight until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	return s.http.Shutdown(ctx)
}

// Close ends every connection at once.
func (s *Server) Close() error { return s.http.Close() }
