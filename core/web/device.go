package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/device"
	"bgremover.pro/templates"
)

// quota answers GET /device/quota: what the device may still send.
func (s *Server) quota(c *gin.Context) {
	s.render(c, http.StatusOK, templates.Quota{Buckets: s.buckets(c, s.devices.Identify(c.Request))})
}

// data answers GET /device/data: all that is held about the device.
func (s *Server) data(c *gin.Context) {
	who := s.devices.Identify(c.Request)
	settings := responseOf(c).generation.settings
	view := templates.Data{
		ID: who.ID, Cookie: who.Returning, KeyEnds: s.devices.KeyEnds(),
		Buckets: s.buckets(c, who), LogDays: settings.Privacy.LogDays, ContactEmail: settings.ContactEmail,
	}
	if who.Returning {
		view.CookieEnds = who.CookieEnds
	}
	s.render(c, http.StatusOK, view)
}

func (s *Server) buckets(c *gin.Context, who device.Device) []templates.Bucket {
	var shown []templates.Bucket
	for _, q := range s.limits.Peek(c.Request.Context(), keyOf(c, who)).Quotas {
		shown = append(shown, templates.Bucket{Name: q.Name, Limit: int(q.Limit), Remaining: int(q.Remaining), Resets: q.Resets, Period: q.Window})
	}
	return shown
}

// forget answers POST /device/forget: it deletes what is held under the
// device's identifier, the cookie, and what the browser holds for this site.
// "cookies" is left out: it would clear those of the whole registrable domain.
func (s *Server) forget(c *gin.Context) {
	who := s.devices.Identify(c.Request)
	secure := responseOf(c).generation.hsts || s.devices.Secure(c.Request)
	s.limits.Forget(who.ID)
	http.SetCookie(c.Writer, device.ExpiredCookie(secure))
	if secure {
		c.Header("Clear-Site-Data", `"cache", "storage"`) // browsers honour it over TLS only
	}
	s.render(c, http.StatusOK, templates.Forgotten{})
}
