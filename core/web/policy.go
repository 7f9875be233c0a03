package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// class says who may keep an answer.
type class int

const (
	// unset is the class of a route that declares none; it is private.
	unset class = iota
	// private answers concern one device, or nobody: no cache keeps them.
	private
	// page answers are the same for everyone; edges keep them for a while.
	page
	// immutable answers have their content's hash in their address.
	immutable
	// revalidate answers are checked by browsers before each use; edges, which
	// can be purged, keep them as they keep pages.
	revalidate
	// asset answers have a fixed address and rarely change.
	asset
)

// policies is the cache policy of every answer.
var policies = map[class]struct {
	name    string
	control func(Cache) string
}{
	unset:      {"private", always(noStore)},
	private:    {"private", always(noStore)},
	page:       {"page", pageControl},
	immutable:  {"immutable", always("public, max-age=31536000, immutable")},
	revalidate: {"revalidate", edgeControl},
	asset:      {"asset", always("public, max-age=3600")},
}

const noStore = "private, no-store"

func always(value string) func(Cache) string { return func(Cache) string { return value } }

// pageControl uses s-maxage because every edge understands it.
func pageControl(c Cache) string {
	return fmt.Sprintf("public, max-age=%d, s-maxage=%d, stale-while-revalidate=%d, stale-if-error=%d",
		int(c.MaxAge/time.Second), int(c.SharedMaxAge/time.Second), int(c.While/time.Second), int(c.IfError/time.Second))
}

func edgeControl(c Cache) string {
	c.MaxAge = 0
	return pageControl(c)
}

// of returns the class of a route's answer with a status: the route's own class
// for successes, private for everything else.
func (k class) of(status int) class {
	switch status {
	case http.StatusOK, http.StatusPartialContent, http.StatusNotModified:
		return k
	}
	return private
}

// apply sets the headers of the class. Whatever a handler has set, shareable
// answers carry no cookie, only answers under /device/ set one, and private
// answers carry no validators or tags.
func (k class) apply(h http.Header, x *exchange) {
	delete(h, "Surrogate-Control") // Varnish and Cloudflare would ignore Cache-Control
	delete(h, "Cdn-Cache-Control")
	h["Cache-Control"] = x.generation.cacheControl[k]
	if !strings.HasPrefix(x.route.path, "/device/") {
		delete(h, "Set-Cookie")
	}
	if k == private || k == unset {
		delete(h, "Etag")
		delete(h, "Vary")
		h["X-Request-Id"] = []string{x.ID}
		return
	}
	h["Vary"] = varyEncoding
	tags := x.generation.tags
	if k == immutable {
		tags = x.generation.assetTags
	}
	for name, value := range tags {
		h[name] = value
	}
}

var varyEncoding = []string{"Accept-Encoding"}

// PagesTag is on everything that an edge may hold in an old form, so that it
// can be purged without knowing which release the edge still holds. Assets with a
// hash in their address lack it: pages that browsers still keep
// ask for those of the last release.
const PagesTag = "bgremover-pages"

// tagHeaders are the headers in which common edges read the tags that they purge
// by; Cache-Groups is RFC 9875.
func tagHeaders(tags ...string) map[string][]string {
	return map[string][]string{
		"Surrogate-Key": {strings.Join(tags, " ")}, // Fastly
		"Cache-Tag":     {strings.Join(tags, ",")}, // Cloudflare, Akamai
		"Xkey":          {strings.Join(tags, " ")}, // Varnish
		"Cache-Groups":  {`"` + strings.Join(tags, `", "`) + `"`},
	}
}
