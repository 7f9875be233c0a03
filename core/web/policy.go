package web

import (
	"fmt"
	"net/http"
	"time"
)

// class says who may keep a route's answer.
type class int

const (
	// private answers concern one device, or nobody: no cache keeps them.
	private class = iota
	// page answers are the same for everyone; edges keep them for a while.
	page
	// immutable answers have their content's hash in their address.
	immutable
	// revalidate answers may be kept and must be checked before each use.
	revalidate
	// asset answers have a fixed address and rarely change.
	asset
)

// policies is the cache policy of every answer. A class applies to what a GET
// or HEAD got when it worked out (200, 206, 304); any other status is the last
// column, as is every answer to another method.
var policies = map[class]struct {
	name   string
	fresh  func(Cache) string
	others string
}{
	private:    {"private", func(Cache) string { return noStore }, noStore},
	page:       {"page", pageControl, noStore},
	immutable:  {"immutable", always("public, max-age=31536000, immutable"), noStore},
	revalidate: {"revalidate", always("no-cache"), noStore},
	asset:      {"asset", always("public, max-age=3600"), noStore},
}

// noStore is the default of all answers.
const noStore = "private, no-store"

func always(value string) func(Cache) string { return func(Cache) string { return value } }

// pageControl names s-maxage because no other edge lifetime is understood by
// every edge.
func pageControl(c Cache) string {
	return fmt.Sprintf("public, max-age=%d, s-maxage=%d, stale-while-revalidate=%d, stale-if-error=%d",
		int(c.MaxAge/time.Second), int(c.SharedMaxAge/time.Second), int(c.While/time.Second), int(c.IfError/time.Second))
}

// apply sets the headers of the class for a status. Whatever a handler set
// before, what may be shared carries no cookie, and what may not be shared
// carries nothing to share it by.
func (k class) apply(h http.Header, status int, g *generation) {
	h.Del("Surrogate-Control") // Varnish and Cloudflare would ignore Cache-Control
	h.Del("CDN-Cache-Control")
	if k == private || !cacheable(status) {
		h.Set("Cache-Control", policies[k].others)
		h.Del("ETag")
		h.Del("Vary")
		if k != private {
			h.Del("Set-Cookie")
		}
		return
	}
	h.Del("Set-Cookie")
	h["Cache-Control"] = g.cacheControl[k]
	h["Vary"] = varyEncoding
	for name, value := range g.tags {
		h[name] = value
	}
}

func cacheable(status int) bool {
	return status == http.StatusOK || status == http.StatusPartialContent || status == http.StatusNotModified
}

var varyEncoding = []string{"Accept-Encoding"}

// tagHeaders are the names under which the edges of this world read the tags
// that they purge by; Cache-Groups is RFC 9875.
func tagHeaders(tag string) map[string][]string {
	return map[string][]string{
		"Surrogate-Key": {tag}, // Fastly
		"Cache-Tag":     {tag}, // Cloudflare, Akamai
		"Xkey":          {tag}, // Varnish
		"Cache-Groups":  {`"` + tag + `"`},
	}
}
