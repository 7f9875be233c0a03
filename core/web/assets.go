package web

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/httpcache"
	"bgremover.pro/static"
)

// assetDocuments makes each embedded file's document on first use, once per
// process.
var assetDocuments = func() map[string]func() (*httpcache.Document, error) {
	docs := map[string]func() (*httpcache.Document, error){}
	for _, f := range static.Files() {
		docs[f.Name] = sync.OnceValues(func() (*httpcache.Document, error) {
			if strings.HasPrefix(f.MediaType, "image/") && f.MediaType != "image/svg+xml" {
				return httpcache.New(f.MediaType, f.Content), nil
			}
			if len(f.Encoded) > 0 {
				return httpcache.Encoded(f.MediaType, f.Content, f.Encoded), nil
			}
			return httpcache.Compressed(f.MediaType, f.Content)
		})
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
	s.serveAsset(c, file.Name)
}

// favicon answers browsers that ask for it without having read a page.
func (s *Server) favicon(c *gin.Context) { s.serveAsset(c, "icons/icon.svg") }

func (s *Server) serveAsset(c *gin.Context, name string) {
	doc, err := assetDocuments[name]()
	if err != nil {
		s.fail(c, err)
		return
	}
	doc.ServeHTTP(c.Writer, c.Request)
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
	texts := []struct{ path, contentType, body string }{
		{"/sw.js", "text/javascript; charset=utf-8", string(static.Worker(g.tag))},
		{"/manifest.webmanifest", "application/manifest+json", string(static.Manifest(site.SiteName))},
		{"/api/v1/openapi.json", "application/json", string(api)},
		{"/robots.txt", "text/plain; charset=utf-8", robots},
		{"/.well-known/gpc.json", "application/json", string(gpc)},
	}
	if site.ContactEmail != "" {
		texts = append(texts, struct{ path, contentType, body string }{
			"/.well-known/security.txt", "text/plain; charset=utf-8", security(site),
		})
	}
	for _, t := range texts {
		doc, err := httpcache.Compressed(t.contentType, []byte(t.body))
		if err != nil {
			return err
		}
		g.documents[t.path] = doc
	}
	return nil
}

const robots = `User-agent: *
Disallow: /api/
Disallow: /device/
Disallow: /gallery/
Disallow: /help/
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
