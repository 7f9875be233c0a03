package web

import (
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/cutout"
)

// contentPolicy is what a page may load and do. No nonce: a cached one is reused.
// wasm-unsafe-eval allows WebAssembly, from this site, and no eval of scripts.
const contentPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; " +
	"connect-src 'self'; form-action 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'"

// safety is sent with every answer. With Referrer-Policy no-referrer the form
// would be sent with Origin: null, and be refused.
var safety = map[string][]string{
	"Content-Security-Policy":      {contentPolicy},
	"X-Content-Type-Options":       {"nosniff"},
	"X-Frame-Options":              {"DENY"},
	"Referrer-Policy":              {"same-origin"},
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	// Pages that are isolated from other sites' may compute on several threads.
	"Cross-Origin-Embedder-Policy": {"require-corp"},
	"Permissions-Policy": {"accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), " +
		"microphone=(), payment=(), usb=(), interest-cohort=(), clipboard-write=(self)"},
}

var strictTransport = []string{"max-age=31536000"}

// ServeHTTP answers one request: it finds the settings in force, has the route
// answer, and reports to the observer and the access log.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &response{ResponseWriter: w, generation: s.generation(), route: unrouted}
	x.Entry = accesslog.Entry{Addr: s.devices.Client(r), URL: r.RequestURI, Proto: r.Proto, UserAgent: r.UserAgent()}
	x.ID, x.Method, x.Time = newID(), r.Method, time.Now()
	defer func() {
		if x.upload != nil {
			x.upload.Close()
			x.Received = x.upload.Received()
		}
		x.Duration = time.Since(x.Time)
		s.options.Observe(x.Request)
		s.options.AccessLog.Log(x.Entry)
	}()
	if r.Body != http.NoBody {
		// Uploads set their own pace; no other request may keep us waiting for a body.
		_ = http.NewResponseController(w).SetReadDeadline(x.Time.Add(bodyTimeout))
	}
	s.engine.ServeHTTP(x, r)
}

// newID tells requests apart; no security depends on it.
func newID() string {
	return strconv.FormatUint(rand.Uint64(), 36) //nolint:gosec // G404: no secret
}

// enter is what every request of a route passes before its handler: it sets the
// headers that every answer has, and refuses what no handler should see.
func (s *Server) enter(rt route) gin.HandlerFunc {
	return func(c *gin.Context) {
		x := responseOf(c)
		defer s.recover(c)
		for name, value := range safety {
			x.Header()[name] = value
		}
		if x.generation.hsts {
			x.Header()["Strict-Transport-Security"] = strictTransport
		}
		// No route needs an address that is not in its plain form, and caches that
		// normalise differently could be deceived.
		if c.Request.URL.RawPath != "" || strings.ContainsAny(c.Request.URL.Path, ";\\\x00") {
			s.fail(c, errNotFound)
			c.Abort()
			return
		}
		// Behind a proxy, and with HTTP/2, the bounds on connections do not bound the
		// requests in progress. A trusted proxy's own requests are not counted.
		if x.Addr.IsValid() && !s.devices.Trusted(x.Addr) {
			if !s.running.Take(x.Addr) {
				s.refuse(c, errManyRequests)
				c.Abort()
				return
			}
			defer s.running.Give(x.Addr)
		}
		x.route, x.Route = rt, rt.path
		if s.foreign(c) {
			s.refuse(c, errCross)
			c.Abort()
			return
		}
		c.Next()
	}
}

// foreign reports whether another site made a browser send a request, except to the
// interfaces for programs with a key. Unknown keys are not charged here, or any page
// could spend its visitors' quotas on guesses; keys are too long for guessing.
func (s *Server) foreign(c *gin.Context) bool {
	x, r := responseOf(c), c.Request
	if slices.Contains(programPaths, x.route.path) {
		s.program(c)
		if x.program != "" {
			c.Header("Access-Control-Allow-Origin", "*")
			c.Header("Access-Control-Expose-Headers", "*")
			return false
		}
		r = r.Clone(r.Context())
		r.Method = http.MethodPost // their GETs are charged too
	}
	return x.generation.cross.Check(r) != nil
}

// recover answers for a handler that panicked. What the request carried stays
// out of the log.
func (s *Server) recover(c *gin.Context) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler { //nolint:errorlint // what was panicked with, not a chain
		panic(cause) // the connection must be aborted, not closed cleanly
	}
	x := responseOf(c)
	s.log.Error("a handler panicked", "request", x.ID, "route", x.Route, "cause", cause, "stack", string(debug.Stack()))
	if x.wroteHeader {
		panic(http.ErrAbortHandler) // half an answer must not look complete
	}
	s.fail(c, cutout.Errorf(cutout.Internal, "Something went wrong on our side."))
	c.Abort()
}

// shapeOf returns how errors are reported to this request. Only a POST may choose
// between fragment and page by htmx's header: a GET has one answer for all.
func shapeOf(c *gin.Context) errorShape {
	r, rt := c.Request, responseOf(c).route
	switch {
	case strings.HasPrefix(r.URL.Path, "/v1.0/"):
		return asRemoveBG
	case rt.errors == asDetail:
		return asDetail
	case strings.HasPrefix(r.URL.Path, "/api/"):
		return asProblem
	case rt.errors == asPage && r.Method == http.MethodPost && isHTMX(r):
		return asFragment
	}
	return rt.errors
}

func isHTMX(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }
