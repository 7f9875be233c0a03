package web

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/httpcache"
	"bgremover.pro/core/upload"
)

// Record is what metrics learn of a request and its response: none of their
// content, and nothing about the sender.
type Record struct {
	// ID is random; log lines and private answers (X-Request-ID) carry it.
	ID     string
	Method string
	// Route is the pattern that matched, such as "/gallery/:id"; "" for none.
	Route  string
	Status int
	// Code is the error's, "" for a success.
	Code cutout.Code
	// Err is the cause of a failure that is the server's fault; nil for others.
	Err error
	// Class is the cache class that the answer went out with: "private",
	// "page", "immutable", "revalidate" or "asset".
	Class    string
	Start    time.Time
	Duration time.Duration
	// Received counts the bytes of the upload, Sent those of the answer's body.
	Received, Sent int64
}

// response watches a response on its way out and gives it the headers that its
// route and status ask for, whatever the handler did.
type response struct {
	http.ResponseWriter
	Record
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

// ServeHTTP answers one request: it finds the settings in force, calls the route's
// handler, and reports to the observer and the access log.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &response{ResponseWriter: w, generation: s.generation(), route: unrouted}
	x.ID, x.Method, x.Start = newID(), methodOf(r), time.Now()
	client := s.devices.Client(r)
	defer func() {
		if x.upload != nil {
			x.upload.Close()
			x.Received = x.upload.Received()
		}
		x.Duration = time.Since(x.Start)
		s.options.Observe(x.Record)
		s.options.AccessLog.Log(x.entry(r, client))
	}()
	if r.Body != http.NoBody {
		// Uploads set their own pace; no other request may keep us waiting for a body.
		_ = http.NewResponseController(w).SetReadDeadline(x.Start.Add(bodyTimeout))
	}
	s.engine.ServeHTTP(x, r)
}

func (x *response) entry(r *http.Request, client netip.Addr) accesslog.Entry {
	return accesslog.Entry{
		Time: x.Start, Addr: client, Method: r.Method, URL: r.RequestURI, Proto: r.Proto,
		Status: x.Status, Bytes: x.Sent, Duration: x.Duration, UserAgent: r.UserAgent(), ID: x.ID,
	}
}

// newID tells requests apart; no security depends on it.
func newID() string {
	return strconv.FormatUint(rand.Uint64(), 36) //nolint:gosec // G404: no secret
}

// methodOf keeps made-up methods from becoming labels of metrics.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return r.Method
	}
	return "other"
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
