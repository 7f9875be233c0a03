// Package templates holds the HTML of every page and fragment. A view is a
// plain struct; its type names the template that shows it. Pages are whole
// documents that hold nothing about a device (except Results, Data and
// Forgotten, which answer under /device/), so any edge may cache them;
// fragments are what htmx swaps in.
//
// # How a result travels
//
// A finished picture is inside the answer to the POST: the template writes it
// as the img's data: URI. Render streams it there in base64, so a view carries
// the encoded file as it is (ResultCard.Picture) and the long string is never
// built. On a page without scripts the browser shows and saves that URI; with
// scripts, static/js/picture.js takes it out of the answer before the swap and
// makes it a Blob.
//
// # What the form sends
//
// POST /device/cutouts, multipart/form-data, in any order, except upload, which
// comes first:
//
//	upload      random ID for GET /device/queue; only with scripts
//	cookie      "no": the visitor wants no session cookie; only with scripts
//	mode        auto, fast or best
//	format      png, webp or jpeg
//	background  empty or #rrggbb
//	answer      empty for a page or fragment; "file" for the file itself as a
//	            download: one photo's picture, or a ZIP of several
//	image       a photo; may repeat
package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"strings"

	"bgremover.pro/templates/texts"
)

//go:embed layout page fragment
var files embed.FS

// Site is the site that the pages belong to.
type Site struct {
	Name string
	// PublicURL is the canonical address without a trailing slash, or empty.
	PublicURL string
}

// Set is all templates in one language, parsed.
type Set struct {
	site     Site
	language *texts.Language
	mark     string
	views    map[string]*template.Template
}

// View is one of the view structs of this package.
type View interface {
	// name is the file that shows the view, such as "page/home.html".
	name() string
}

// For returns the set for a site. It shares what was parsed.
func (s *Set) For(site Site) *Set {
	of := *s
	of.site = site
	return &of
}

// New parses every template for a language. asset gives the address of a file in static, such
// as "/static/1f3a/css/site.css" for "css/site.css".
func New(language *texts.Language, asset func(name string) string) (*Set, error) {
	set := &Set{language: language, mark: newMark(), views: map[string]*template.Template{}}
	base := template.New("base").Funcs(functions(language, asset, set.mark)).Option("missingkey=error")
	if err := parse(base, "layout", "fragment"); err != nil {
		return nil, err
	}
	pages, err := fs.Glob(files, "page/*.html")
	if err != nil {
		return nil, err
	}
	for _, name := range pages {
		page := template.Must(base.Clone())
		if err := parseFile(page, name); err != nil {
			return nil, err
		}
		set.views[name] = page.Lookup("layout/page.html")
	}
	fragments, err := fs.Glob(files, "fragment/*.html")
	if err != nil {
		return nil, err
	}
	for _, name := range fragments {
		set.views[name] = base.Lookup(name)
	}
	return set, nil
}

// Render writes the view. Everything but the pictures is rendered before the
// first byte is written: if the template fails, nothing has been written.
func (s *Set) Render(w io.Writer, view View) error {
	shown, ok := s.views[view.name()]
	if !ok {
		return fmt.Errorf("templates: no template for %T", view)
	}
	var data any = view
	if strings.HasPrefix(view.name(), "page/") {
		data = scene{Site: s.site, View: view, Page: pageName(view)}
	}
	var page bytes.Buffer
	if err := shown.Execute(&page, data); err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	return splice(w, page.Bytes(), s.mark, pictures(view))
}

// cardsMark marks where the cards go on the results page, which contains nothing
// that a visitor sent.
const cardsMark = "<!--cards-->"

// RenderAround renders a page and returns what comes before its cards and what
// comes after them, so that each card can be sent as soon as it is ready.
func (s *Set) RenderAround(view Results) (before, after []byte, err error) {
	var page bytes.Buffer
	if err := s.Render(&page, view); err != nil {
		return nil, nil, err
	}
	before, after, found := bytes.Cut(page.Bytes(), []byte(cardsMark))
	if !found {
		return nil, nil, fmt.Errorf("templates: %s has no placeholder for the cards", view.name())
	}
	return before, after, nil
}

// scene is the data of a page's template; a fragment's is its view.
type scene struct {
	Site Site
	View View
	Page string // such as "home"
}

func pageName(view View) string {
	return strings.TrimSuffix(strings.TrimPrefix(view.name(), "page/"), ".html")
}

func parse(into *template.Template, folders ...string) error {
	for _, folder := range folders {
		names, err := fs.Glob(files, folder+"/*.html")
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := parseFile(into, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// parseFile names the template by its path, unlike ParseFS, which drops the
// folder.
func parseFile(into *template.Template, name string) error {
	text, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	if _, err := into.New(name).Parse(string(text)); err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	return nil
}
