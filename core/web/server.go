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

	"bgremover.pro/core/connlimit"
	"bgremover.pro/core/device"
	"bgremover.pro/core/upload"
)

// Server is the public listener.
type Server struct {
	options  Options
	log      *slog.Logger
	devices  *device.Identifier
	limits   Limiter
	engine   *gin.Engine
	http     *http.Server
	uploads  upload.Service
	progress *tracker
	running  *connlimit.Shares // requests, by client

	draining atomic.Bool
	current  atomic.Pointer[generation]
	refused  atomic.Pointer[Settings] // settings whose pages could not be rendered
	renewing sync.Mutex
}

// Timeouts of every connection; uploads have their own pace.
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 20 * time.Second
	answerTimeout = time.Minute
	idleTimeout   = time.Minute
	maxHeader     = 16 << 10
)

// New creates the server. It returns an error if the pages cannot be rendered.
func New(o Options) (*Server, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Server{
		options: o, log: o.Log, devices: o.Devices, limits: o.Limiter,
		uploads:  upload.Service{Remover: o.Remover, Memory: upload.NewMemory(o.UploadMemory), Pace: o.Pace, Timeout: o.JobTimeout},
		progress: newTracker(), running: connlimit.NewShares(o.MaxConnections),
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
		ConnState:         connlimit.Follow,
		ErrorLog:          log.New(acceptErrors{o.Log}, "", 0),
	}
	return s, nil
}

// acceptErrors passes on net/http's messages about the listener. The others name
// visitors' addresses, which stay out of the log.
type acceptErrors struct{ log *slog.Logger }

func (e acceptErrors) Write(line []byte) (int, error) {
	if bytes.HasPrefix(line, []byte("http: Accept error")) {
		e.log.Warn("accepting connections failed", "error", string(bytes.TrimSpace(line)))
	}
	return len(line), nil
}

// Serve answers connections until Shutdown or Close; it then returns
// http.ErrServerClosed. TLS goes on top of the bounds on connections, as net/http
// recognises encrypted connections by their type.
func (s *Server) Serve(l net.Listener) error {
	bounded := connlimit.New(l, s.options.MaxConnections, s.devices.Trusted)
	if s.options.TLS != nil {
		return s.http.ServeTLS(bounded, "", "")
	}
	return s.http.Serve(bounded)
}

// Drain makes /readyz report that this server is shutting down, so that a load balancer
// sends no more visitors; those who still arrive are served.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown waits for the requests in flight until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	return s.http.Shutdown(ctx)
}

// Close ends every connection at once.
func (s *Server) Close() error { return s.http.Close() }
