package main

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"bgremover.pro/plugins/openinference/oip"
)

// server is one endpoint with what is known of its state.
type server struct {
	name   string
	client oip.GRPCInferenceServiceClient
	conn   *grpc.ClientConn
	asked  atomic.Bool // for a certificate that we do not have, since it last answered

	mu       sync.Mutex
	down     bool      // as it was when last asked whether it is ready
	failures int       // of calls, since the last that went well
	rests    time.Time // until then it is tried last
}

// last reports whether it is tried only after the others.
func (e *server) last() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.down || time.Now().Before(e.rests)
}

// note records the outcome of a call, and writes a line to the log about each
// failure and about the first success afterwards.
func (e *server) note(log *slog.Logger, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		e.asked.Store(false)
		if e.failures > 0 {
			log.Warn("a server answers again", "endpoint", e.name, "failures", e.failures)
		}
		e.failures, e.rests = 0, time.Time{}
		return
	}
	wait := min(rest<<min(e.failures, 10), longRest)
	e.failures++
	e.rests = time.Now().Add(wait)
	log.Warn("a server failed; the others are tried first", "endpoint", e.name, "for", wait, "error", e.reason(err))
}

// noteReady records whether it is ready; why is empty if it is. One that was down and is
// ready again is used again at once.
func (e *server) noteReady(log *slog.Logger, why string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	down := why != ""
	switch {
	case down && !e.down:
		log.Warn("a server is not ready", "endpoint", e.name, "error", why)
	case !down && e.down:
		log.Warn("a server is ready again", "endpoint", e.name)
		e.rests = time.Time{}
	}
	e.down = down
}
