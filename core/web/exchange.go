package web

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/device"
)

// Exchange is one request and its answer, for the access log and metrics. It
// holds nothing of what either carried.
type Exchange struct {
	Request *http.Request
	// Client is who sent it; its identifier is filled in under /device/ and
	// the API only.
	Client device.Device
	// Route is the pattern that matched, such as "/gallery/:id"; "" for none.
	Route  string
	Status int
	// Code is the error's, "" for a success.
	Code     cutout.Code
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
	program     string // whose API key came with it
	unknownKey  bool   // an API key came that is nobody's
	wroteHeader bool
}

type exchangeKey struct{}

// exchangeOf returns the exchange of a request that came through ServeHTTP.
func exchangeOf(c *gin.Context) *exchange {
	return c.Request.Context().Value(exchangeKey{}).(*exchange)
}

func (x *exchange) WriteHeader(status int) {
	if x.wroteHeader {
		return
	}
	x.wroteHeader = true
	x.Status = status
	x.route.class.apply(x.Header(), status, x.generation)
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

// ServeHTTP runs one exchange: it finds the settings in force, answers, and
// tells the observer.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, generation: s.generation(), route: unrouted}
	x.Start = time.Now()
	r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	x.Request = r
	x.Client = device.Device{Address: s.devices.Client(r)}
	defer func() {
		x.Duration = time.Since(x.Start)
		s.observe(x.Exchange)
	}()
	if r.Body != http.NoBody {
		// Uploads set their own pace; nobody else may keep us waiting for a body.
		_ = http.NewResponseController(w).SetReadDeadline(x.Start.Add(bodyTimeout))
	}
	s.engine.ServeHTTP(x, r)
}
