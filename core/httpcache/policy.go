package httpcache

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Class says who may keep a response. The zero value is Private.
type Class int

const (
	// Private responses concern one device, or nobody: no cache keeps them.
	Private Class = iota
	// Page responses are the same for everyone; edges keep them for a while.
	Page
	// Immutable responses have their content's hash in their address.
	Immutable
	// Revalidate responses are checked by browsers before each use; edges, which
	// can be purged, keep them as they keep pages.
	Revalidate
	// Asset responses have a fixed address and rarely change.
	Asset
)

var names = [...]string{Private: "private", Page: "page", Immutable: "immutable", Revalidate: "revalidate", Asset: "asset"}

// String is the class in a word, for metrics.
func (c Class) String() string { return names[c] }

// For returns the class of a response with a status: c itself for successes, Private
// for everything else.
func (c Class) For(status int) Class {
	switch status {
	case http.StatusOK, http.StatusPartialContent, http.StatusNotModified:
		return c
	}
	return Private
}

// Lifetimes say how long pages may be kept.
type Lifetimes struct {
	// MaxAge is for browsers, SharedMaxAge for edges.
	MaxAge, SharedMaxAge time.Duration
	// WhileRevalidate and IfError say how long an edge may serve a stale page, while
	// it fetches a new one and while the server is down.
	WhileRevalidate, IfError time.Duration
}

// DefaultLifetimes suit a site behind an edge that is purged on each release.
var DefaultLifetimes = Lifetimes{MaxAge: time.Minute, SharedMaxAge: 10 * time.Minute, WhileRevalidate: 24 * time.Hour, IfError: 7 * 24 * time.Hour}

// control uses s-maxage because every edge understands it.
func (l Lifetimes) control() string {
	return fmt.Sprintf("public, max-age=%d, s-maxage=%d, stale-while-revalidate=%d, stale-if-error=%d",
		int(l.MaxAge/time.Second), int(l.SharedMaxAge/time.Second), int(l.WhileRevalidate/time.Second), int(l.IfError/time.Second))
}

// PagesTag is on everything that an edge may hold in an old form, so that it
// can be purged without knowing which release the edge still holds. Assets with a
// hash in their address lack it: pages that browsers still keep
// ask for those of the last release.
const PagesTag = "bgremover-pages"

// Policy is the headers of each class, made once for all responses.
type Policy [len(names)]http.Header

// NewPolicy makes a policy. tag names what is served now; shareable responses
// carry it.
func NewPolicy(pages Lifetimes, tag string) *Policy {
	checked := pages
	checked.MaxAge = 0
	shared := func(control string, tags ...string) http.Header {
		// The headers in which common edges read the tags that they purge by.
		return http.Header{
			"Cache-Control": {control},
			"Vary":          {"Accept-Encoding"},
			"Surrogate-Key": {strings.Join(tags, " ")},                // Fastly
			"Cache-Tag":     {strings.Join(tags, ",")},                // Cloudflare, Akamai
			"Xkey":          {strings.Join(tags, " ")},                // Varnish
			"Cache-Groups":  {`"` + strings.Join(tags, `", "`) + `"`}, // RFC 9875
		}
	}
	return &Policy{
		Private:    {"Cache-Control": {"private, no-store"}},
		Page:       shared(pages.control(), tag, PagesTag),
		Immutable:  shared("public, max-age=31536000, immutable", tag),
		Revalidate: shared(checked.control(), tag, PagesTag),
		Asset:      shared("public, max-age=3600", tag, PagesTag),
	}
}

// Apply sets the headers of a class, whatever a handler has set: private responses
// carry no validators or tags, and no response a header that outranks Cache-Control.
func (p *Policy) Apply(h http.Header, c Class) {
	delete(h, "Surrogate-Control") // Varnish and Cloudflare would ignore Cache-Control
	delete(h, "Cdn-Cache-Control")
	if c == Private {
		delete(h, "Etag")
		delete(h, "Vary")
	}
	for name, value := range p[c] {
		h[name] = value
	}
}
