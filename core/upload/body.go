package upload

import (
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"time"

	"bgremover.pro/core/cutout"
)

// Slow is the code of an upload that is slower than the pace.
const Slow cutout.Code = "slow_upload"

var (
	errTooLarge = &cutout.Error{Code: cutout.TooLarge, Message: "The upload is larger than this server accepts."}
	errSlow     = &cutout.Error{Code: Slow, Message: "The upload was too slow and was stopped. Try again on a faster connection or with a smaller photo."}
	errGone     = &cutout.Error{Code: cutout.Canceled, Message: "The upload ended before it was complete."}
)

// Pace is the slowest that a client may send a body or receive an answer: at
// least Bytes in every Window, at least Rate bytes a second overall after a free
// first minute, and at most Upload for sending and Answer for receiving, whatever
// the size.
type Pace struct {
	Window time.Duration
	Bytes  int64
	Rate   int64
	Upload time.Duration
	Answer time.Duration
}

// DefaultPace is enough for a poor mobile connection, and cuts off clients that
// only keep a connection open.
var DefaultPace = Pace{
	Window: 20 * time.Second, Bytes: 32 << 10, Rate: 16 << 10,
	Upload: 10 * time.Minute, Answer: 5 * time.Minute,
}

// Overall is the longest time that a number of bytes may take.
func (p Pace) Overall(bytes int64, most time.Duration) time.Duration {
	return min(firstMinute+time.Duration(float64(bytes)/float64(p.Rate)*float64(time.Second)), most)
}

const firstMinute = time.Minute

// body is a request's body, read up to a limit and under a read deadline that
// moves on as data arrives.
type body struct {
	from    io.Reader
	conn    *http.ResponseController
	pace    Pace
	limit   int64
	next    int64 // bytes that may be read until bound is called again
	started time.Time
	window  time.Time // start of the running window
	fresh   int64     // bytes in the running window
	total   int64
	ended   bool // nothing more will arrive
	waiting bool // the client waits for 100 Continue before sending
}

// newBody starts the clock.
func newBody(w http.ResponseWriter, r *http.Request, pace Pace) *body {
	now := time.Now()
	b := &body{
		from: r.Body, conn: http.NewResponseController(w), pace: pace, next: unbounded,
		started: now, window: now,
		ended:   r.Body == http.NoBody,
		waiting: r.Header.Get("Expect") != "",
	}
	if !b.ended {
		b.extend()
	}
	return b
}

const unbounded = math.MaxInt64

// bound is how much may be read until it is called again.
func (b *body) bound(n int64) { b.next = n }

// Read returns too_large beyond the limit, invalid beyond the bound, slow_upload, or
// canceled where the client left.
func (b *body) Read(p []byte) (int, error) {
	switch {
	case b.total > b.limit:
		return 0, errTooLarge
	case b.next == 0:
		return 0, errFields
	}
	b.waiting = false
	n, err := b.from.Read(p[:min(int64(len(p)), b.next)])
	b.next -= int64(n)
	b.total += int64(n)
	b.fresh += int64(n)
	switch {
	case errors.Is(err, io.EOF):
		// The deadline would otherwise also end the wait in the queue.
		_ = b.conn.SetReadDeadline(time.Time{})
		b.ended = true
		return n, io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.ended = true // in effect: the rest is not read
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
	whole := b.started.Add(b.pace.Overall(b.total, b.pace.Upload))
	if whole.Before(deadline) {
		deadline = whole
	}
	_ = b.conn.SetReadDeadline(deadline)
}

// What is read, and for how long, after an early answer: browsers read the
// answer only once they have sent everything or see the connection close
// cleanly.
const (
	drainBytes = 64 << 20
	drainTime  = 10 * time.Second
)

// What is read, and for how long, before an early answer: as much as lies in
// the system's buffers anyway once the request's headers have arrived.
const (
	settleBytes = 64 << 10
	settleTime  = time.Second
)

// settle reads and discards the rest of a body of length bytes (-1: unknown) if
// little is left. It reports whether the whole body has been read.
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

// drain reads on, within bounds, and discards what it reads.
func (b *body) drain() {
	if b.ended || b.waiting {
		return
	}
	_ = b.conn.SetReadDeadline(time.Now().Add(drainTime))
	_, _ = io.CopyN(io.Discard, b.from, drainBytes)
}
