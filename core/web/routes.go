package web

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"bgremover.pro/core/httpcache"
	"bgremover.pro/templates/texts"
)

// route is one line of the public interface.
type route struct {
	method, path string
	class        httpcache.Class
	errors       errorShape
	handle       gin.HandlerFunc
}

// unrouted stands for requests that match no route.
var unrouted = route{class: httpcache.Private, errors: asPage}

// routes is the whole public interface. Every GET answers HEAD as well.
func (s *Server) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	const private, page, immutable = httpcache.Private, httpcache.Page, httpcache.Immutable
	const revalidate, asset = httpcache.Revalidate, httpcache.Asset
	var all []route
	for _, l := range texts.All {
		all = append(all,
			route{get, l.To("/"), page, asPage, s.page(l.To("/"))},
			route{get, l.To("/gallery"), page, asPage, s.page(l.To("/gallery"))},
			route{get, l.To("/privacy"), page, asPage, s.page(l.To("/privacy"))},
			route{get, l.To("/contact"), page, asPage, s.page(l.To("/contact"))},
			route{get, l.To("/offline"), page, asPage, s.page(l.To("/offline"))},
			route{get, l.To("/help/tips"), page, asFragment, s.page(l.To("/help/tips"))},
			route{get, l.To("/help/modes"), page, asFragment, s.page(l.To("/help/modes"))},
			route{get, l.To("/manifest.webmanifest"), asset, asPage, s.fixed(l.To("/manifest.webmanifest"))},
		)
		if l != texts.English {
			all = append(all, route{get, l.Prefix, private, asPage, s.home})
		}
	}
	return append(all, []route{
		{get, "/api", page, asPage, s.page("/api")},
		{get, "/api/v1/openapi.json", page, asProblem, s.fixed("/api/v1/openapi.json")},
		// The service worker answers these from the browser's own storage.
		{get, "/gallery/:id", private, asPage, s.nothing},

		{post, "/device/cutouts", private, asPage, s.cutoutForm},
		{get, "/device/cutouts", private, asPage, s.home}, // someone reloads the result page
		{get, "/device/quota", private, asFragment, s.quota},
		{get, "/device/queue", private, asFragment, s.queue},
		{get, "/device/data", private, asPage, s.data},
		{post, "/device/forget", private, asPage, s.forget},

		{post, "/api/v1/cutouts", private, asProblem, s.cutoutAPI},
		// What clients of other programs call.
		{post, "/v1.0/removebg", private, asRemoveBG, s.removeBG},
		{get, "/v1.0/account", private, asRemoveBG, s.removeBGAccount},
		{post, "/api/remove", private, asDetail, s.rembgForm},
		{get, "/api/remove", private, asDetail, s.rembgAddress},

		{get, "/static/*file", immutable, asPage, s.asset},
		{get, "/ondevice/:hash/:name", immutable, asPage, s.onDevice},
		{get, "/sw.js", revalidate, asPage, s.fixed("/sw.js")},
		{get, "/favicon.ico", asset, asPage, s.favicon},
		{get, "/robots.txt", asset, asPage, s.fixed("/robots.txt")},
		{get, "/.well-known/gpc.json", asset, asPage, s.fixed("/.well-known/gpc.json")},
		{get, "/.well-known/security.txt", asset, asPage, s.fixed("/.well-known/security.txt")},

		{get, "/healthz", private, asProblem, s.healthz},
		{get, "/readyz", private, asProblem, s.readyz},
	}...)
}

// SharedPaths lists the fixed addresses whose answers edges may keep; httpcache.PagesTag
// is on all of them.
func SharedPaths() []string {
	var paths []string
	for _, rt := range new(Server).routes() {
		if (rt.class != httpcache.Private && rt.class != httpcache.Immutable) && !strings.ContainsAny(rt.path, ":*") {
			paths = append(paths, rt.path)
		}
	}
	return paths
}

// register builds the engine from the table.
func (s *Server) register() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false // it would reflect X-Forwarded-Prefix
	e.ContextWithFallback = true
	e.MaxMultipartMemory = 1 << 40 // nothing may spill to disk if a form were ever parsed by the library
	e.ForwardedByClientIP = false
	_ = e.SetTrustedProxies(nil) // core/device finds the client's address; nil cannot fail
	for _, rt := range s.routes() {
		e.Handle(rt.method, rt.path, s.enter(rt), rt.handle)
		if rt.method == http.MethodGet {
			e.Handle(http.MethodHead, rt.path, s.enter(rt), rt.handle)
		}
	}
	e.NoRoute(s.enter(unrouted), s.nothing)
	e.NoMethod(s.enter(unrouted), func(c *gin.Context) {
		if !s.preflight(c) {
			s.fail(c, errMethod(c))
		}
	})
	return e
}
