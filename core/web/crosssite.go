package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// programPaths are the interfaces for programs. A page of any site may call them from a
// browser, with one of the operator's API keys: that is what is charged then, and no
// cookie counts there. Without one it would spend the quotas of its visitors.
var programPaths = []string{"/api/v1/cutouts", "/v1.0/removebg", "/v1.0/account", "/api/remove"}

// preflight answers a browser that asks whether a page of another site may send a
// request with a key; false if it may not, or nothing like that was asked.
func (s *Server) preflight(c *gin.Context) bool {
	h := c.Request.Header
	asked := strings.ToLower(h.Get("Access-Control-Request-Headers"))
	withKey := strings.Contains(asked, "x-api-key") || strings.Contains(asked, "authorization")
	if c.Request.Method != http.MethodOptions || h.Get("Access-Control-Request-Method") == "" || !withKey ||
		!slices.Contains(programPaths, c.Request.URL.Path) || !s.limits.HasKeys() {
		return false
	}
	c.Header("Access-Control-Allow-Origin", "*")
	c.Header("Access-Control-Allow-Methods", c.Writer.Header().Get("Allow"))
	c.Header("Access-Control-Allow-Headers", "Authorization, *") // the star does not stand for the first
	c.Header("Access-Control-Max-Age", "600")
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return true
}
