package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/device"
	"bgremover.pro/core/ratelimit"
)

// charge counts photos against the sender and says in headers what is left. It
// returns rate_limited if no more are allowed, and blocked if the operator allows
// none.
func (s *Server) charge(c *gin.Context, who device.Device, photos int) error {
	d := s.limits.Charge(c.Request.Context(), keyOf(c, who), photos)
	s.limitHeaders(c, d)
	if d.Allowed {
		return nil
	}
	if d.Blocked {
		return &cutout.Error{Code: blocked, Message: "The operator of this site has blocked this device. If you think that is a mistake, write to them: the address is on the contact page.", RetryAfter: d.RetryAfter}
	}
	return &cutout.Error{Code: cutout.RateLimited, Message: "You have sent as many photos as this server allows for now.", RetryAfter: d.RetryAfter}
}

// limitHeaders says what is left. The remove.bg API counts X-RateLimit-Reset from 1970.
func (s *Server) limitHeaders(c *gin.Context, d ratelimit.Decision) {
	shape := shapeOf(c)
	for _, h := range d.Headers(shape == asProblem || shape == asRemoveBG) {
		c.Header(h.Name, h.Value)
	}
	if q, limited := d.Tightest(); limited && shape == asRemoveBG {
		c.Header("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(q.Resets+time.Second).Unix(), 10))
	}
}

// ownerOf says whose share of the server a request uses: a program's, or a
// network's, as a User-Agent is easily made up. Households have a /56.
func ownerOf(c *gin.Context, who device.Device) string {
	if program := responseOf(c).program; program != "" {
		return "program " + program
	}
	if !who.Network.IsValid() {
		return "" // a listener without addresses cannot tell visitors apart
	}
	return who.Household().String()
}

// keyOf says what a request is charged to.
func keyOf(c *gin.Context, who device.Device) ratelimit.Key {
	x := responseOf(c)
	return ratelimit.Key{Device: who.ID, Addr: who.Network.Addr(), Route: x.Route, Program: x.program}
}

// program finds the program whose API key came with an API request, if any. Clients of
// other interfaces always send one, which means nothing where no keys are configured.
func (s *Server) program(c *gin.Context) {
	key := presentedKey(c.Request)
	if key == "" {
		return
	}
	x := responseOf(c)
	var found bool
	x.program, found = s.limits.Identify(key)
	x.unknownKey = !found && (shapeOf(c) == asProblem || s.limits.HasKeys())
	if x.unknownKey {
		c.Header("WWW-Authenticate", "Bearer")
	}
}

func presentedKey(r *http.Request) string {
	if key := r.Header.Get("X-API-Key"); key != "" {
		return key
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "" // perhaps meant for a proxy in front
	}
	return strings.TrimSpace(key)
}
