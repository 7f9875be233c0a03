package web

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/device"
	"bgremover.pro/core/ratelimit"
)

// charge counts photos against the sender and tells in headers what is left.
// It returns rate_limited where no more may pass.
func (s *Server) charge(c *gin.Context, who device.Device, photos int) error {
	d := s.limits.Charge(c.Request.Context(), keyOf(c, who), photos)
	for _, h := range d.Headers(shapeOf(c) == asProblem) {
		c.Header(h.Name, h.Value)
	}
	if d.Allowed {
		return nil
	}
	message := "You have sent as many photos as this server takes for now."
	if d.Blocked {
		message = "The operator of this site has blocked this device."
	}
	return &cutout.Error{Code: cutout.RateLimited, Message: message, RetryAfter: d.RetryAfter}
}

// keyOf says what a request is charged to.
func keyOf(c *gin.Context, who device.Device) ratelimit.Key {
	x := exchangeOf(c)
	return ratelimit.Key{Device: who.ID, Addr: who.Network.Addr(), Route: x.Route, Program: x.program}
}

// program finds out whose API key came with a request to the API, if any.
func (s *Server) program(c *gin.Context) {
	key := presentedKey(c.Request)
	if key == "" {
		return
	}
	x := exchangeOf(c)
	var found bool
	x.program, found = s.limits.Identify(key)
	x.unknownKey = !found
	if !found {
		c.Header("WWW-Authenticate", "Bearer")
	}
}

func presentedKey(r *http.Request) string {
	if key := r.Header.Get("X-API-Key"); key != "" {
		return key
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "" // of a proxy in front, perhaps
	}
	return strings.TrimSpace(key)
}
