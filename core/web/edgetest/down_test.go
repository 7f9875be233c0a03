package edgetest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/web"
	"bgremover.pro/static"
)

// With the origin gone, every page and every asset still comes, long after its
// time too; uploads are refused kindly; and what is new shows once it is back.
func TestOriginDownAndBack(t *testing.T) {
	behind(t, append(ours[:2:2], varnishBuiltin), func(t *testing.T, e *edge) {
		e.origin.change(func(s *web.Settings) { s.Cache.MaxAge, s.Cache.SharedMaxAge = time.Second, time.Second })
		v := e.visitor(t, 2)
		warm := map[string]string{}
		for _, path := range shared() {
			warm[path] = v.get(path).body
		}
		e.origin.stop()
		still := func() {
			t.Helper()
			for path, body := range warm {
				if r := v.get(path); r.status != 200 || r.body != body {
					t.Errorf("%s while the origin is down: %d %.80s", path, r.status, r.body)
				}
			}
		}
		still()
		eventually(t, "the page is older than it may be", func() bool {
			r := v.get("/")
			r.expect(t, "/", 200)
			return r.header.Get("X-Cache") == "STALE" || r.header.Get("X-Cache") == "UPDATING" || len(r.header.Get("Age")) > 0 && r.header.Get("Age") > "1"
		})
		still()
		for what, r := range map[string]reply{"form": v.form("photo"), "api": v.api("photo"), "quota": v.get("/device/quota"), "an unknown page": v.get("/nowhere")} {
			if r.status != http.StatusServiceUnavailable || e.ours && (r.header.Get("Cache-Control") != "private, no-store" || r.header.Get("Retry-After") == "") {
				t.Errorf("%s while the origin is down: %d %v", what, r.status, r.header)
			}
		}
		e.origin.change(func(s *web.Settings) { s.SiteName = "Back Again" })
		e.origin.start()
		t.Cleanup(func() { e.origin.stop() })
		eventually(t, "the new page shows", func() bool { return strings.Contains(v.get("/").body, "Back Again") })
		eventually(t, "uploads pass", func() bool { return v.api("photo").status == 200 })
		eventually(t, "the quota passes", func() bool { return v.get("/device/quota").status == 200 })
		v.get("/nowhere").expect(t, "the refusal was not kept", 404)
	})
}

// Any edge bridges what is shorter than its pages live, without a line of
// configuration of ours.
func TestFreshPagesOutliveTheOrigin(t *testing.T) {
	behind(t, caching, func(t *testing.T, e *edge) {
		v := e.visitor(t, 2)
		paths := []string{"/", "/gallery", "/privacy", "/help/modes", "/sw.js", static.Path("css/tokens.css")}
		for _, path := range paths {
			v.get(path).expect(t, path, 200)
		}
		e.origin.stop()
		for _, path := range paths {
			v.get(path).expect(t, path, 200)
		}
		if r := v.api("photo"); r.status < 500 {
			t.Errorf("the origin is not down: %d", r.status)
		}
	})
}
