package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"bgremover.pro/core/httpcache"
	"bgremover.pro/static"
	"bgremover.pro/templates"
	"bgremover.pro/templates/texts"
)

// generation is everything derived from the settings: pages in every encoding,
// the headers of each class, the tag that edges purge by. It is made when the
// settings change, never for a request.
type generation struct {
	settings  *Settings
	templates map[*texts.Language]*templates.Set
	documents map[string]*httpcache.Document // by path
	policy    *httpcache.Policy
	tag       string
	hsts      bool
	cross     *http.CrossOriginProtection
}

// generation returns the one in force. If pages cannot be rendered with new
// settings, the last good one stays in force; the log says so once.
func (s *Server) generation() *generation {
	want := s.options.Settings()
	if g := s.current.Load(); g.settings == want || s.refused.Load() == want {
		return g
	}
	s.renewing.Lock()
	defer s.renewing.Unlock()
	if g := s.current.Load(); g.settings == want || s.refused.Load() == want {
		return g
	}
	g, err := s.newGeneration(want)
	if err != nil {
		s.log.Error("rendering the pages with the new settings failed; keeping the previous ones", "error", err)
		s.refused.Store(want)
		return s.current.Load()
	}
	s.current.Store(g)
	return g
}

// Tag returns the tag that everything cacheable carries now. It changes with a
// release and with settings that show on a page.
func (s *Server) Tag() string { return s.generation().tag }

// parsed are the templates in every language, once per process.
var parsed = sync.OnceValues(func() (map[*texts.Language]*templates.Set, error) {
	all := map[*texts.Language]*templates.Set{}
	for _, l := range texts.All {
		set, err := templates.New(l, static.Path)
		if err != nil {
			return nil, err
		}
		all[l] = set
	}
	return all, nil
})

func (s *Server) newGeneration(settings *Settings) (*generation, error) {
	g := &generation{
		settings: settings, documents: map[string]*httpcache.Document{}, templates: map[*texts.Language]*templates.Set{},
		hsts: strings.HasPrefix(settings.PublicURL, "https://"), cross: http.NewCrossOriginProtection(),
	}
	site := templates.Site{Name: settings.SiteName, PublicURL: settings.PublicURL}
	sets, err := parsed()
	if err != nil {
		return nil, err
	}
	for l, set := range sets {
		g.templates[l] = set.For(site)
	}
	if settings.PublicURL != "" {
		if err := g.cross.AddTrustedOrigin(settings.PublicURL); err != nil {
			return nil, fmt.Errorf("web: the public URL: %w", err)
		}
	}
	if err := g.renderPages(); err != nil {
		return nil, err
	}
	if offer := settings.OnDevice; offer != nil {
		g.documents[offer.List] = httpcache.Compressed("application/json", offer.Content)
	}
	g.tag = g.fingerprint(s.options.Version)
	g.policy = httpcache.NewPolicy(settings.Cache, g.tag)
	return g, g.addFixed()
}

// renderPages renders the pages and fragments that are the same for everyone.
func (g *generation) renderPages() error {
	api, err := apiPage()
	if err != nil {
		return err
	}
	views := map[string]templates.View{
		"/":        templates.Home{Limits: g.settings.Limits, Mode: g.settings.Mode, OnDevice: onDeviceOf(g.settings)},
		"/gallery": templates.Gallery{},
		"/offline": templates.Offline{},
		"/contact": templates.Contact{Email: g.settings.ContactEmail},
		"/privacy": privacyOf(g.settings),

		"/help/tips":  templates.Tips{Limits: g.settings.Limits},
		"/help/modes": templates.Modes{},
	}
	for _, l := range texts.All {
		for path, view := range views {
			if err := g.renderPage(l, l.To(path), view); err != nil {
				return err
			}
		}
	}
	return g.renderPage(texts.English, "/api", api)
}

func (g *generation) renderPage(l *texts.Language, path string, view templates.View) error {
	var html bytes.Buffer
	if err := g.templates[l].Render(&html, view); err != nil {
		return err
	}
	doc := httpcache.Compressed(htmlType, html.Bytes())
	doc.Link = preload(html.Bytes())
	g.documents[path] = doc
	return nil
}

const htmlType = "text/html; charset=utf-8"

// fingerprint is short, and the same on every replica that serves the same pages.
func (g *generation) fingerprint(release string) string {
	sum := sha256.New()
	fmt.Fprintln(sum, release, static.Version())
	var paths []string
	for path := range g.documents {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		sum.Write(g.documents[path].Plain())
	}
	return "app-" + hex.EncodeToString(sum.Sum(nil)[:6])
}

var stylesheet = regexp.MustCompile(`<link rel="stylesheet" href="(/static/[^"]+)">`)

// preload names a page's style sheets in a Link header, which edges turn into
// early hints.
func preload(html []byte) []string {
	var links []string
	for _, m := range stylesheet.FindAllSubmatch(html, -1) {
		links = append(links, "<"+string(m[1])+">; rel=preload; as=style")
	}
	if links == nil {
		return nil
	}
	return []string{strings.Join(links, ", ")}
}

func onDeviceOf(s *Settings) templates.OnDevice {
	if s.OnDevice == nil {
		return templates.OnDevice{}
	}
	return templates.OnDevice{List: s.OnDevice.List, Bytes: s.OnDevice.Bytes, Processing: s.Processing}
}
