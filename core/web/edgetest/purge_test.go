package edgetest

import (
	"strings"
	"testing"

	"bgremover.pro/core/httpcache"
	"bgremover.pro/core/purge"
	"bgremover.pro/core/web"
	"bgremover.pro/static"
)

func (e *edge) purge(t *testing.T) error {
	t.Helper()
	all := purge.Caches{Tag: httpcache.PagesTag, Paths: web.SharedPaths()}
	if strings.HasPrefix(e.name, "varnish") {
		all.Varnish = []string{e.url}
	} else {
		all.Nginx = []string{e.url}
	}
	outcomes := all.Purge(t.Context())
	if len(outcomes) != 1 {
		t.Fatalf("outcomes: %v", outcomes)
	}
	return outcomes[0].Err
}

// A purge brings what is new to all, in every encoding; a client that may not purge
// changes nothing.
func TestPurge(t *testing.T) {
	behind(t, ours, func(t *testing.T, e *edge) {
		v, direct := e.visitor(t, 2), e.direct(t)
		encodings := []string{"identity", "gzip", "br", "zstd"}
		css := static.Path("css/tokens.css")
		v.get(css)
		old := map[string]string{}
		for _, encoding := range encodings {
			old[encoding] = v.get("/", "Accept-Encoding", encoding).body
			v.get("/de/", "Accept-Encoding", encoding)
			v.get("/manifest.webmanifest", "Accept-Encoding", encoding)
		}
		e.origin.change(func(s *web.Settings) { s.SiteName = "Renewed" })
		v.do("PURGE", "/", nil, "Xkey-Purge", httpcache.PagesTag)
		v.get("/", "X-Refresh", "yes")
		for _, encoding := range encodings {
			if v.get("/", "Accept-Encoding", encoding).body != old[encoding] {
				t.Errorf("%s: new, before the purge", encoding)
			}
		}
		if err := e.purge(t); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/", "/de/", "/manifest.webmanifest"} {
			for _, encoding := range encodings {
				want := direct.get(path, "Accept-Encoding", encoding).body
				eventually(t, "the new "+path+" shows", func() bool { return v.get(path, "Accept-Encoding", encoding).body == want })
			}
		}
		before := e.origin.requests()
		v.get(css).expect(t, css, 200)
		if e.origin.requests() != before {
			t.Error("the purge reached an asset that never changes")
		}
	})
}

// Who purges while the origin is down loses no page.
func TestPurgeWhileTheOriginIsDown(t *testing.T) {
	behind(t, ours, func(t *testing.T, e *edge) {
		v := e.visitor(t, 2)
		body := v.get("/").body
		e.origin.stop()
		err := e.purge(t)
		if e.name == nginxOurs.name && err == nil {
			t.Error("nginx has fetched new pages from nowhere")
		}
		for range 3 {
			if r := v.get("/"); r.status != 200 || r.body != body {
				t.Errorf("after the purge: %d %.80s", r.status, r.body)
			}
		}
	})
}
