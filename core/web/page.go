package web

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/templates"
	"bgremover.pro/templates/texts"
)

// page answers a page that is the same for everyone.
func (s *Server) page(path string) gin.HandlerFunc {
	return func(c *gin.Context) { responseOf(c).generation.documents[path].ServeHTTP(c.Writer, c.Request) }
}

// fixed answers a file at a fixed address, if the settings call for one.
func (s *Server) fixed(path string) gin.HandlerFunc {
	return func(c *gin.Context) {
		doc, ok := responseOf(c).generation.documents[path]
		if !ok {
			s.fail(c, errNotFound)
			return
		}
		doc.ServeHTTP(c.Writer, c.Request)
	}
}

func (s *Server) nothing(c *gin.Context) { s.fail(c, errNotFound) }

// languageOf returns the language that a request's address asks for. Elsewhere than
// below /device/ caches may leave out the query, so only the path counts there.
func languageOf(c *gin.Context) *texts.Language {
	path := c.Request.URL.Path
	if strings.HasPrefix(path, "/device/") {
		return texts.Of(c.Query("lang"))
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return texts.Of(first)
}

func templatesOf(c *gin.Context) *templates.Set {
	return responseOf(c).generation.templates[languageOf(c)]
}

// home redirects a browser to the start page: from an address meant only for POST, and
// from that of a language without its last slash.
func (s *Server) home(c *gin.Context) {
	c.Header("Location", languageOf(c).To("/"))
	c.Status(http.StatusSeeOther)
}

// render answers a view rendered for this request.
func (s *Server) render(c *gin.Context, status int, view templates.View) {
	var html bytes.Buffer
	if err := templatesOf(c).Render(&html, view); err != nil {
		s.log.Error("rendering a page failed", "request", responseOf(c).ID, "route", responseOf(c).Route, "error", err)
		status = http.StatusInternalServerError
		html.Reset()
		html.WriteString("Something went wrong on our side.")
	}
	s.send(c, status, htmlType, html.Bytes())
}

// keyLife is how long the key behind the identifiers of devices lasts; the
// cookie lives as long.
const keyLife = 24 * time.Hour

func privacyOf(s *Settings) templates.Privacy {
	p := s.Privacy
	p.ContactEmail, p.Limits, p.OnDevice = s.ContactEmail, s.Limits, s.OnDevice != nil
	p.CookieLife, p.KeyLife = keyLife, keyLife
	return p
}
