package web

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/httpcache"
	"bgremover.pro/core/upload"
)

// response is what handlers write to. It holds what is known of the request, and
// gives the answer the headers that its route and status ask for, whatever the
// handler did.
type response struct {
	http.ResponseWriter
	accesslog.Entry
	upload      *upload.Request // nil for none
	route       route
	generation  *generation
	program     string // the program whose API key was sent
	unknownKey  bool   // an API key was sent that is not known
	wroteHeader bool
}

// responseOf returns the response of a request: what gin's own writer writes to.
func responseOf(c *gin.Context) *response {
	return c.Writer.(interface{ Unwrap() http.ResponseWriter }).Unwrap().(*response)
}

func (x *response) WriteHeader(status int) {
	if x.wroteHeader {
		return
	}
	x.wroteHeader = true
	x.Status = status
	class := x.route.class.For(status)
	x.Class = class.String()
	x.generation.policy.Apply(x.Header(), class)
	if !strings.HasPrefix(x.route.path, "/device/") {
		delete(x.Header(), "Set-Cookie") // the one cookie is for that path
	}
	if class == httpcache.Private {
		x.Header()["X-Request-Id"] = []string{x.ID}
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *response) Write(p []byte) (int, error) {
	if !x.wroteHeader {
		x.WriteHeader(http.StatusOK)
	}
	n, err := x.ResponseWriter.Write(p)
	x.Sent += int64(n)
	return n, err
}

// Flush is what gin's writer asks for by type.
func (x *response) Flush() {
	if !x.wroteHeader {
		x.WriteHeader(http.StatusOK)
	}
	_ = http.NewResponseController(x.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (x *response) Unwrap() http.ResponseWriter { return x.ResponseWriter }

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

// send answers with a body and its length, and gives a slow client time.
func (s *Server) send(c *gin.Context, status int, contentType string, body []byte) {
	c.Header("Content-Type", contentType)
	c.Header("Content-Length", strconv.Itoa(len(body)))
	c.Status(status)
	_, _ = s.paced(c).Write(body)
}

// filePolicy is for a picture on its own, in case a browser opens it as a document.
const filePolicy = "sandbox; default-src 'none'"

// sendFile answers with a download that no browser runs or renders in place.
func (s *Server) sendFile(c *gin.Context, name, mediaType string, file []byte) {
	c.Header("Content-Disposition", `attachment; filename="`+name+`"`)
	c.Header("Content-Security-Policy", filePolicy)
	s.send(c, http.StatusOK, mediaType, file)
}

// describe sets the headers that say how a result was made.
func describe(h http.Header, r *cutout.Result) {
	h.Set("X-Backend", r.Run.Backend)
	h.Set("X-Model", r.Run.Model)
	mode := string(r.Run.Mode)
	if len(r.Run.Sizes) > 0 {
		mode += "; sizes=" + strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Run.Sizes), " ", ","), "[]")
	}
	h.Set("X-Mode", mode)
	if r.Subject != cutout.SubjectFound {
		h.Set("X-Subject", string(r.Subject))
	}
	var timings []string
	for _, t := range r.Timings {
		timings = append(timings, timing(string(t.Stage), t.Duration))
	}
	if r.Run.Inference > 0 {
		timings = append(timings, timing("model", r.Run.Inference))
	}
	if timings != nil {
		h.Set("Server-Timing", strings.Join(timings, ", "))
	}
}

func timing(name string, d time.Duration) string {
	return fmt.Sprintf("%s;dur=%.1f", name, float64(d)/float64(time.Millisecond))
}

func extension(mediaType string) string {
	_, format, _ := strings.Cut(mediaType, "/")
	return cutout.Format(format).Extension()
}
