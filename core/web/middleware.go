package web

import (
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
)

// contentPolicy is what a page may load and do. No nonce: a cached one is reused.
// wasm-unsafe-eval allows WebAssembly, from this site, and no eval of scripts.
const contentPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; " +
	"connect-src 'self'; form-action 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'"

// filePolicy is for a picture on its own, in case a browser opens it as a document.
const filePolicy = "sandbox; default-src 'none'"

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

// secure sets the headers that every answer has.
func (s *Server) secure(c *gin.Context) {
	h := c.Writer.Header()
	for name, value := range safety {
		h[name] = value
	}
	if responseOf(c).generation.hsts {
		h["Strict-Transport-Security"] = strictTransport
	}
}

// strict refuses addresses that are not written in the plain form. No route needs
// another, and caches that normalise differently could be deceived.
func (s *Server) strict(c *gin.Context) {
	if c.Request.URL.RawPath != "" || strings.ContainsAny(c.Request.URL.Path, ";\\\x00") {
		s.fail(c, errNotFound)
		c.Abort()
	}
}

// recover answers for a handler that panicked. What the request carried stays
// out of the log.
func (s *Server) recover(c *gin.Context) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if cause == http.ErrAbortHandler { //nolint:errorlint // what was panicked with, not a chain
			panic(cause) // the connection must be aborted, not closed cleanly
		}
		s.log.Error("a handler panicked", "request", responseOf(c).ID, "route", responseOf(c).Route, "cause", cause, "stack", string(debug.Stack()))
		if responseOf(c).wroteHeader {
			panic(http.ErrAbortHandler) // half an answer must not look complete
		}
		s.fail(c, cutout.Errorf(cutout.Internal, "Something went wrong on our side."))
		c.Abort()
	}()
	c.Next()
}

// errMethod says which methods the address accepts; gin has set Allow.
func errMethod(c *gin.Context) error {
	allow := c.Writer.Header().Get("Allow")
	return cutout.Errorf(wrongMethod, "This address accepts only %s.", allow)
}
