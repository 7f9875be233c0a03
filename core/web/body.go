package web

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// Pace is the slowest that a client may send, and take an answer: at least Bytes
// in every Window, after a free first minute at least Rate bytes a second over
// all, and never more than Upload for sending and Answer for taking, however
// much that is.
type Pace struct {
	Window time.Duration
	Bytes  int64
	Rate   int64
	Upload time.Duration
	Answer time.Duration
}

// DefaultPace lets a poor phone line pass and cuts who holds a connection open
// for the sake of it.
var DefaultPace = Pace{
	Window: 20 * time.Second, Bytes: 32 << 10, Rate: 16 << 10,
	Upload: 10 * time.Minute, Answer: 5 * time.Minute,
}

// overall is the longest that so many bytes may take.
func (p Pace) overall(bytes int64, most time.Duration) time.Duration {
	return min(firstMinute+time.Duration(float64(bytes)/float64(p.Rate)*float64(time.Second)), most)
}

const firstMinute = time.Minute

// body is a request's body, read under a read deadline that moves on with what
// has come, and up to a limit.
type body struct {
	from    io.Reader
	conn    *http.ResponseController
	pace    Pace
	limit   int64
	started time.Time
	window  time.Time // start of the running window
	fresh   int64     // bytes in the running window
	total   int64
	ended   bool // nothing more is to come
	waiting bool // the client waits for leave to send
}

// newBody starts the clock. Reading more than limit bytes is too_large.
func newBody(w http.ResponseWriter, r *http.Request, limit int64, pace Pace) *body {
	now := time.Now()
	b := &body{
		from: r.Body, conn: http.NewResponseController(w), pace: pace, limit: limit,
		started: now, window: now,
		ended:   r.Body == http.NoBody,
		waiting: r.Header.Get("Expect") != "",
	}
	if !b.ended {
		b.extend()
	}
	return b
}

// Read returns too_large, slow_upload, or canceled where the client left.
func (b *body) Read(p []byte) (int, error) {
	if b.total > b.limit {
		return 0, errTooLarge
	}
	b.waiting = false
	n, err := b.from.Read(p)
	b.total += int64(n)
	b.fresh += int64(n)
	switch {
	case errors.Is(err, io.EOF):
		// The deadline would otherwise end the wait for the line, too.
		_ = b.conn.SetReadDeadline(time.Time{})
		b.ended = true
		return n, io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.ended = true // not in truth, but nobody waits for it
		return n, errSlow
	case err != nil:
		b.ended = true
		return n, errGone
	case b.fresh >= b.pace.Bytes:
		b.window, b.fresh = time.Now(), 0
		b.extend()
	}
	return n, nil
}

// extend sets the deadline: the running window's end, or what the overall rate
// allows for the bytes so far, or the end of all uploads, whichever comes first.
func (b *body) extend() {
	deadline := b.window.Add(b.pace.Window)
	whole := b.started.Add(b.pace.overall(b.total, b.pace.Upload))
	if whole.Before(deadline) {
		deadline = whole
	}
	_ = b.conn.SetReadDeadline(deadline)
}

// What is read, and for how long, after an early answer: browsers read the
// answer only once they have sent everything or see the connection close in
// good order.
const (
	drainBytes = 64 << 20
	drainTime  = 10 * time.Second
)

// What is read, and for how long, before an early answer: as much as lies in
// the system's buffers anyway once the request's headers are there.
const (
	settleBytes = 64 << 10
	settleTime  = time.Second
)

// settle reads what is left of a body of so many bytes (-1: unknown) where that
// is little, keeping nothing. It says whether the body is all read.
func (b *body) settle(length int64) bool {
	if b.waiting || length-b.total > settleBytes {
		return false
	}
	_ = b.conn.SetReadDeadline(time.Now().Add(settleTime))
	_, err := io.CopyN(io.Discard, b.from, settleBytes+1)
	_ = b.conn.SetReadDeadline(time.Time{})
	b.ended = errors.Is(err, io.EOF)
	return b.ended
}

// drain reads on without keeping anything, within bounds.
func (b *body) drain() {
	if b.ended || b.waiting {
		return
	}
	_ = b.conn.SetReadDeadline(time.Now().Add(drainTime))
	_, _ = io.CopyN(io.Discard, b.from, drainBytes)
}
