package edgetest

import (
	"net/http"
	"testing"

	"bgremover.pro/static"
)

// What may be shared is asked of the origin once, and comes to everyone as the
// origin gave it, to the byte.
func TestSecondRequestIsAHit(t *testing.T) {
	behind(t, caching, func(t *testing.T, e *edge) {
		first, second, direct := e.visitor(t, 2), e.visitor(t, 3), e.direct(t)
		encodings := []string{"identity", "gzip", "br", "zstd, gzip;q=0.5"}
		if e.name == varnishBuiltin.name {
			encodings = encodings[:2] // it makes one of the others
		}
		for _, path := range shared() {
			for _, encoding := range encodings {
				want := direct.get(path, "Accept-Encoding", encoding)
				want.expect(t, path, 200)
				if r := first.get(path, "Accept-Encoding", encoding); r.body != want.body || r.header.Get("Content-Encoding") != want.header.Get("Content-Encoding") {
					t.Errorf("%s, %s: another body, or %v", path, encoding, r.header)
				}
				before := e.origin.requests()
				r := second.get(path, "Accept-Encoding", encoding)
				if r.body != want.body || e.origin.requests() != before {
					t.Errorf("%s, %s: no hit: %v", path, encoding, r.header)
				}
				if r.header.Get("Cache-Control") != want.header.Get("Cache-Control") || r.header.Get("Vary") != "Accept-Encoding" || r.header["Set-Cookie"] != nil {
					t.Errorf("%s, %s: %v", path, encoding, r.header)
				}
			}
		}
	})
}

// What asks for nothing new is answered by the edge alone.
func TestConditionsAndRangesThroughTheCache(t *testing.T) {
	behind(t, caching, func(t *testing.T, e *edge) {
		v := e.visitor(t, 2)
		for _, path := range []string{"/", "/sw.js", static.Path("css/tokens.css")} {
			plain := v.get(path)
			for _, encoding := range []string{"identity", "gzip"} {
				whole := v.get(path, "Accept-Encoding", encoding)
				before := e.origin.requests()
				r := v.get(path, "Accept-Encoding", encoding, "If-None-Match", whole.header.Get("Etag"))
				r.expect(t, path, http.StatusNotModified)
				for _, field := range []string{"Cache-Control", "Etag", "Vary"} {
					if r.header.Get(field) == "" || r.header.Get(field) != whole.header.Get(field) {
						t.Errorf("%s, %s: 304 with %s %q, 200 with %q", path, encoding, field, r.header.Get(field), whole.header.Get(field))
					}
				}
				if head := v.do(http.MethodHead, path, nil, "Accept-Encoding", encoding); head.status != 200 || head.header.Get("Etag") != whole.header.Get("Etag") || head.body != "" {
					t.Errorf("%s, %s: HEAD %d %v", path, encoding, head.status, head.header)
				}
				if e.origin.requests() != before {
					t.Errorf("%s, %s: the origin was asked", path, encoding)
				}
			}
			r := v.get(path, "Range", "bytes=3-9")
			r.expect(t, path, http.StatusPartialContent)
			if r.body != plain.body[3:10] {
				t.Errorf("%s: range %q", path, r.body)
			}
			if other := v.get(path, "If-None-Match", `"another"`); other.status != 200 || other.body != plain.body {
				t.Errorf("%s: %d where the tag is another", path, other.status)
			}
		}
	})
}

// No matter who comes first, with what header, the next visitor's page is the
// origin's.
func TestNobodyPoisonsThePage(t *testing.T) {
	behind(t, caching, func(t *testing.T, e *edge) {
		evil, next, direct := e.visitor(t, 2), e.visitor(t, 3), e.direct(t)
		paths := []string{"/", "/help/tips", "/sw.js", static.Path("css/tokens.css")}
		plain := map[string]reply{}
		for _, path := range paths {
			plain[path] = direct.get(path, "Accept-Encoding", "gzip")
			plain[path].expect(t, path, 200)
		}
		for _, header := range [][]string{
			{"HX-Request", "true", "HX-Target", "x", "HX-Boosted", "true"}, {"HX-Request", "true", "HX-History-Restore-Request", "true"},
			{"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Proto", "gopher"}, {"X-Forwarded-Prefix", "/evil"}, {"X-Forwarded-For", "evil"},
			{"X-Original-URL", "/device/data"}, {"X-Rewrite-URL", "/device/data"}, {"X-HTTP-Method-Override", "POST"},
			{"Forwarded", "host=evil.example"}, {"Host", "evil.example"}, {"Cookie", "session=v1.x.y; a=b"},
			{"Accept-Language", "de"}, {"Accept", "application/json"}, {"Authorization", "Bearer x"},
			{"Accept-Encoding", "evil, identity;q=0.5, *;q=0"}, {"Accept-Encoding", "gzip;q=0"}, {"Origin", "https://evil.example"},
			{"Range", "bytes=0-1"}, {"If-None-Match", "*"}, {"If-Match", `"x"`}, {"If-Range", `"x"`, "Range", "bytes=0-1"},
			{"X-Refresh", "yes"}, {"Surrogate-Capability", `a="ESI/1.0"`}, {"Cache-Control", "no-cache, no-store"},
		} {
			e.empty()
			for _, path := range paths {
				evil.get(path, header...)
				r := next.get(path, "Accept-Encoding", "gzip")
				want := plain[path]
				if r.status != 200 || r.body != want.body || r.header.Get("Content-Type") != want.header.Get("Content-Type") ||
					r.header.Get("Content-Encoding") != want.header.Get("Content-Encoding") || r.header.Get("Link") != want.header.Get("Link") {
					t.Errorf("%s after %q: %d %v %.80s", path, header, r.status, r.header, r.body)
				}
			}
		}
	})
}
