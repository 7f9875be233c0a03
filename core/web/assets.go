package web

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/httpcache"
	"bgremover.pro/static"
	"bgremover.pro/templates/texts"
)

// assetDocuments are the embedded files' documents.
var assetDocuments = func() map[string]*httpcache.Document {
	docs := map[string]*httpcache.Document{}
	for _, f := range static.Files() {
		switch {
		case strings.HasPrefix(f.MediaType, "image/") && f.MediaType != "image/svg+xml":
			docs[f.Name] = httpcache.New(f.MediaType, f.Content)
		case len(f.Encoded) > 0:
			docs[f.Name] = httpcache.Encoded(f.MediaType, f.Content, f.Encoded)
		default:
			docs[f.Name] = httpcache.Compressed(f.MediaType, f.Content)
		}
	}
	return docs
}()

// asset answers a file at its hashed address; other hashes are gone for good.
func (s *Server) asset(c *gin.Context) {
	file, current, ok := static.Open(c.Request.URL.Path)
	if !ok || !current {
		s.fail(c, errNotFound)
		return
	}
	assetDocuments[file.Name].ServeHTTP(c.Writer, c.Request)
}

// favicon answers browsers that ask for it without having read a page.
func (s *Server) favicon(c *gin.Context) {
	assetDocuments["icons/icon.svg"].ServeHTTP(c.Writer, c.Request)
}

// addFixed creates the files whose addresses are fixed by convention.
func (g *generation) addFixed() error {
	site := g.settings
	gpc, err := json.Marshal(map[string]any{"gpc": true, "lastUpdate": "2026-11-23"})
	if err != nil {
		return err
	}
	api, err := description()
	if err != nil {
		return err
	}
	type file struct{ path, contentType, body string }
	fixed := []file{
		{"/sw.js", "text/javascript; charset=utf-8", string(static.Worker(g.tag))},
		{"/api/v1/openapi.json", "application/json", string(api)},
		{"/robots.txt", "text/plain; charset=utf-8", robots},
		{"/.well-known/gpc.json", "application/json", string(gpc)},
	}
	if site.ContactEmail != "" {
		fixed = append(fixed, file{"/.well-known/security.txt", "text/plain; charset=utf-8", security(site)})
	}
	for _, l := range texts.All {
		fixed = append(fixed, file{l.To("/manifest.webmanifest"), "application/manifest+json", string(static.Manifest(site.SiteName, l))})
	}
	for _, f := range fixed {
		g.documents[f.path] = httpcache.Compressed(f.contentType, []byte(f.body))
	}
	return nil
}

const robots = `User-agent: *
Disallow: /api/
Disallow: /device/
Disallow: /gallery/
Disallow: /help/
Disallow: /*/help/
`

// security is RFC 9116. It must carry an expiry; a year from when the settings
// were read, to the day, so that replicas started on one day agree.
func security(site *Settings) string {
	expires := time.Now().UTC().AddDate(1, 0, 0).Truncate(24 * time.Hour)
	var text strings.Builder
	text.WriteString("Contact: mailto:" + site.ContactEmail + "\n")
	text.WriteString("Expires: " + expires.Format(time.RFC3339) + "\n")
	text.WriteString("Preferred-Languages: en\n")
	if site.PublicURL != "" {
		text.WriteString("Canonical: " + site.PublicURL + "/.well-known/security.txt\n")
	}
	return text.String()
}
