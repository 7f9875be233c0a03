package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/httpcache"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/static"
)

// want is what each class promises, written down once more.
var want = map[httpcache.Class]string{
	httpcache.Private:    "private, no-store",
	httpcache.Page:       "public, max-age=60, s-maxage=600, stale-while-revalidate=86400, stale-if-error=604800",
	httpcache.Immutable:  "public, max-age=31536000, immutable",
	httpcache.Revalidate: "public, max-age=0, s-maxage=600, stale-while-revalidate=86400, stale-if-error=604800",
	httpcache.Asset:      "public, max-age=3600",
}

// example is an address that a route's pattern matches and answers with 200.
func example(pattern string) string {
	switch pattern {
	case "/static/*file":
		return static.Path("css/tokens.css")
	case "/gallery/:id":
		return "/gallery/0a1b"
	case "/device/queue":
		return "/device/queue?upload=abc"
	}
	return pattern
}

// Every route that is registered has a class, and its answers keep to it.
func TestEveryRouteHasAClass(t *testing.T) {
	s := start(t, succeed)
	classes := map[string]httpcache.Class{}
	for _, rt := range s.server.routes() {
		classes[rt.method+" "+rt.path] = rt.class
		if rt.method == http.MethodGet {
			classes[http.MethodHead+" "+rt.path] = rt.class
		}
	}
	for _, registered := range s.server.engine.Routes() {
		name := registered.Method + " " + registered.Path
		k, listed := classes[name]
		if !listed || want[k] == "" {
			t.Errorf("%s has no cache class", name)
			continue
		}
		r := s.do(registered.Method, example(registered.Path), nil, "Accept-Encoding", "gzip")
		if r.status != 200 {
			k = httpcache.Private
		}
		checkClass(t, name, r, k)
		if k != httpcache.Private && r.header.Get("Content-Length") == "" {
			t.Errorf("%s: no length: %v", name, r.header)
		}
	}
	if len(classes) < 30 {
		t.Fatalf("only %d routes; is the table read?", len(classes))
	}
}

func checkClass(t *testing.T, name string, r reply, k httpcache.Class) {
	t.Helper()
	h := r.header
	if got := h["Cache-Control"]; len(got) != 1 || got[0] != want[k] {
		t.Errorf("%s, status %d: Cache-Control %q, want %q", name, r.status, got, want[k])
	}
	for _, never := range []string{"Surrogate-Control", "Cdn-Cache-Control", "Expires", "Pragma", "Age"} {
		if h[never] != nil {
			t.Errorf("%s: %s: %q", name, never, h[never])
		}
	}
	shared := []string{"Etag", "Surrogate-Key", "Cache-Tag", "Xkey", "Cache-Groups"}
	for _, field := range shared {
		if (h[field] != nil) != (k != httpcache.Private) {
			t.Errorf("%s, status %d: %s: %q", name, r.status, field, h[field])
		}
	}
	vary := strings.Join(h["Vary"], ",")
	if k != httpcache.Private && (vary != "Accept-Encoding" || h["Set-Cookie"] != nil || h["X-Request-Id"] != nil) {
		t.Errorf("%s: Vary %q, Set-Cookie %q", name, vary, h["Set-Cookie"])
	}
	if k == httpcache.Private && vary != "" {
		t.Errorf("%s: Vary %q", name, vary)
	}
	for field := range safety {
		if h.Get(field) == "" {
			t.Errorf("%s, status %d: no %s", name, r.status, field)
		}
	}
}

// Every status but success is kept by nobody, whatever the route's class.
func TestErrorsAreKeptByNobody(t *testing.T) {
	once := ratelimit.Rules{Device: ratelimit.Rate{Count: 1, Period: time.Hour}}
	s := start(t, fussy, limited(once))
	gone := "/static/000000000000/css/tokens.css"
	answers := map[string]reply{
		"nothing there":        s.get("/nowhere"),
		"nothing at the API":   s.get("/api/nowhere"),
		"an old asset":         s.get(gone),
		"no such asset":        s.get(strings.Replace(static.Path("css/tokens.css"), "tokens", "nothing", 1)),
		"the assets' folder":   s.get("/static/"),
		"a gallery picture":    s.get("/gallery/0a1b"),
		"a range that is none": s.get("/", "Range", "bytes=999999-"),
		"a failed If-Match":    s.get("/", "If-Match", `"x"`),
		"POST to a page":       s.do(http.MethodPost, "/", nil),
		"DELETE an asset":      s.do(http.MethodDelete, static.Path("css/tokens.css"), nil),
		"OPTIONS":              s.do(http.MethodOptions, "/", nil),
		"a made-up method":     s.do("BREW", "/", nil),
		"a bad file":           s.do(http.MethodPost, api, strings.NewReader("bad")),
		"too many":             s.do(http.MethodPost, api, strings.NewReader("x")),
		"another site":         s.do(http.MethodPost, api, strings.NewReader("x"), "Sec-Fetch-Site", "cross-site"),
		"a bad upload name":    s.get("/device/queue?upload=%3Cb%3E"),
		"a redirect":           s.get("/device/cutouts"),
	}
	statuses := map[int]bool{}
	for name, r := range answers {
		checkClass(t, name, r, httpcache.Private)
		statuses[r.status] = true
	}
	for _, status := range []int{303, 400, 403, 404, 405, 412, 415, 416, 429} {
		if !statuses[status] {
			t.Errorf("no answer with status %d was checked", status)
		}
	}
	for _, name := range []string{"POST to a page", "DELETE an asset", "OPTIONS", "a made-up method"} {
		if r := answers[name]; r.status != 405 || r.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", name, r.status, r.header.Get("Allow"))
		}
	}
}

// What a hostile cache is asked for in the hope that it keeps it.
func TestCacheDeception(t *testing.T) {
	s := start(t, succeed)
	data := s.get("/device/data")
	id := s.server.devices.Derive(mustRequest(t, s.url+"/device/data")).ID
	data.expect(t, 200, id)
	for _, path := range []string{
		"/device/data/x.css", "/device/data.css", "/device/data;x.css", "/device/data%3Bx.css", "/device/data%2Fx.css",
		"/device%2Fdata", "/device/%64ata", "/device/data%00.css", "/device/data%0A.css", "/device/data%23.css", "/device//data", "//device/data",
		"/device/./data", "/static/../device/data", "/static/..%2Fdevice%2Fdata", "/device/data/", "/device/data%20", "/device\\data",
		"/device/cutouts.png", "/device/cutouts/x.png", "/api/v1/cutouts.png", "/device/quota.js", "/DEVICE/DATA",
	} {
		r := s.get(path)
		if r.status != 404 || strings.Contains(r.body, id) {
			t.Errorf("%s: status %d", path, r.status)
		}
		checkClass(t, path, r, httpcache.Private)
	}
	for _, path := range []string{"/device/data?x.css", "/device/data?/x.css", "/device/quota?cb=1.js"} {
		checkClass(t, path, s.get(path), httpcache.Private)
	}
}

func mustRequest(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("User-Agent", "Go-http-client/1.1")
	return r
}

// Whatever the first visitor's request carries, the next one's page is the same
// to the byte.
func TestNothingOfARequestIsReflected(t *testing.T) {
	s := start(t, succeed, trusting("127.0.0.0/8"))
	paths := []string{"/", "/help/tips", "/help/modes", "/gallery", "/privacy", "/contact", "/offline", "/sw.js", "/manifest.webmanifest", "/robots.txt", static.Path("css/tokens.css")}
	for _, path := range paths {
		plain := s.get(path)
		plain.expect(t, 200)
		for _, header := range [][]string{
			{"HX-Request", "true", "HX-Target", "x", "HX-Boosted", "true"},
			{"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Prefix", "/evil"},
			{"X-Original-URL", "/device/data"}, {"X-Rewrite-URL", "/device/data"}, {"X-HTTP-Method-Override", "POST"},
			{"Forwarded", "host=evil.example;proto=https"}, {"Host", "evil.example"}, {"Cookie", "session=v1.x.y; a=b"},
			{"Accept-Language", "de"}, {"User-Agent", "evil"}, {"Accept", "application/json"}, {"Authorization", "Bearer x"},
			{"Accept-Encoding", "evil, identity;q=0.5"}, {"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"},
		} {
			for _, query := range []string{"", "?evil=<script>&lang=de"} {
				r := s.get(path+query, header...)
				for field := range r.header {
					if field != "Date" && strings.Join(r.header[field], "\n") != strings.Join(plain.header[field], "\n") {
						t.Errorf("%s with %v: %s: %q", path+query, header, field, r.header[field])
					}
				}
				if r.status != 200 || r.body != plain.body || len(r.header) != len(plain.header) {
					t.Errorf("%s with %v differs", path+query, header)
				}
			}
		}
	}
}
