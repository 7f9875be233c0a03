package web

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/cutout"
)

// Exchange is one request and its answer, for metrics. It holds none of their
// content, and nothing about the sender.
type Exchange struct {
	// ID is random; log lines and private answers (X-Request-ID) carry it.
	ID     string
	Method string
	// Route is the pattern that matched, such as "/gallery/:id"; "" for none.
	Route  string
	Status int
	// Code is the error's, "" for a success.
	Code cutout.Code
	// Class is the cache class that the answer went out with: "private",
	// "page", "immutable", "revalidate" or "asset".
	Class    string
	Start    time.Time
	Duration time.Duration
	// Received counts the bytes of the upload, Sent those of the answer's body.
	Received, Sent int64
	// Photos counts the photos that were cut out.
	Photos int
}

// exchange watches an answer on its way out and gives it the headers that its
// route and status ask for, whatever the handler did.
type exchange struct {
	http.ResponseWriter
	Exchange
	route       route
	generation  *generation
	program     string // the program whose API key was sent
	unknownKey  bool   // an API key was sent that is not known
	wroteHeader bool
}

// exchangeOf returns the exchange of a request: what gin's own writer writes to.
func exchangeOf(c *gin.Context) *exchange {
	return c.Writer.(interface{ Unwrap() http.ResponseWriter }).Unwrap().(*exchange)
}

// ServeHTTP runs one exchange: it finds the settings in force, answers, and
// reports to the observer and the access log.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, generation: s.generation(), route: unrouted}
	x.ID, x.Method, x.Start = newID(), methodOf(r), time.Now()
	client := s.devices.Client(r)
	defer func() {
		x.Duration = time.Since(x.Start)
		s.options.Observe(x.Exchange)
		s.options.AccessLog.Log(x.entry(r, client))
	}()
	if r.Body != http.NoBody {
		// Uploads set their own pace; no other request may keep us waiting for a body.
		_ = http.NewResponseController(w).SetReadDeadline(x.Start.Add(bodyTimeout))
	}
	s.engine.ServeHTTP(x, r)
}

func (x *exchange) entry(r *http.Request, client netip.Addr) accesslog.Entry {
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

func (x *exchange) WriteHeader(status int) {
	if x.wroteHeader {
		return
	}
	x.wroteHeader = true
	x.Status = status
	class := x.route.class.of(status)
	x.Class = policies[class].name
	class.apply(x.Header(), x)
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(p []byte) (int, error) {
	if !x.wroteHeader {
		x.WriteHeader(http.StatusOK)
	}
	n, err := x.ResponseWriter.Write(p)
	x.Sent += int64(n)
	return n, err
}

// Flush is what gin's writer asks for by type.
func (x *exchange) Flush() {
	if !x.wroteHeader {
		x.WriteHeader(http.StatusOK)
	}
	_ = http.NewResponseController(x.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }
