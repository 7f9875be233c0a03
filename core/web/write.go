package web

import (
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/upload"
)

// pacedWriter gives a slow client time for a long answer, at the pace that
// applies to uploads too, and cuts off one that reads too slowly: until an answer
// is sent, its result holds memory. Only time spent waiting for the client counts,
// not time spent working on photos. While others wait for that memory, the first
// minute is not free.
type pacedWriter struct {
	to    http.ResponseWriter
	conn  *http.ResponseController
	pace  upload.Pace
	tight func() bool
	sent  int64
	spent time.Duration
}

// writePiece is how much is written under one deadline, in bytes.
const writePiece = 64 << 10

func (s *Server) paced(c *gin.Context) *pacedWriter {
	return &pacedWriter{
		to: c.Writer, conn: http.NewResponseController(c.Writer),
		pace: s.options.Pace, tight: s.options.Tight,
	}
}

// Write fails once the client is too slow.
func (w *pacedWriter) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = w.piece(p[n:min(n+writePiece, len(p))])
		n += more
	}
	return n, err
}

func (w *pacedWriter) piece(p []byte) (n int, err error) {
	err = w.within(func() error {
		n, err = w.to.Write(p)
		return err
	})
	w.sent += int64(n)
	return n, err
}

// flush sends what is still buffered and then lifts the deadline: the next part
// may take a while.
func (w *pacedWriter) flush() error {
	if err := w.within(w.conn.Flush); err != nil {
		return err
	}
	return w.conn.SetWriteDeadline(time.Time{})
}

func (w *pacedWriter) within(write func() error) error {
	left := min(w.pace.Window, w.pace.Overall(w.sent, w.pace.Answer)-w.spent)
	if w.tight() {
		left = min(left, w.pace.Window-w.spent)
	}
	if left <= 0 {
		return os.ErrDeadlineExceeded
	}
	began := time.Now()
	if err := w.conn.SetWriteDeadline(began.Add(left)); err != nil {
		return err
	}
	err := write()
	w.spent += time.Since(began)
	return err
}
