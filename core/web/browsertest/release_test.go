package browsertest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"bgremover.pro/static"
)

// releases stands before a site as an edge does, and makes releases of it: the
// folder of the assets, whose name is a hash of what is in them, gets another
// name. Nothing is to be had at the names of other releases.
type releases struct {
	assets atomic.Int32 // the release whose assets and service worker are served
	pages  atomic.Int32 // the release whose pages are served: older ones at a stale edge
	server *httptest.Server
}

// nameOf is as long as the hash of a release's files.
func nameOf(release int32) string { return fmt.Sprintf("%0*d", len(static.Version()), release) }

func startReleases(t *testing.T, s *site) *releases {
	t.Helper()
	origin, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	r := &releases{}
	r.set(1, 1)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(origin)
			p.Out.URL.Path = strings.Replace(p.Out.URL.Path, nameOf(r.assets.Load()), static.Version(), 1)
			for _, name := range []string{"Accept-Encoding", "If-None-Match", "Range"} {
				p.Out.Header.Del(name)
			}
		},
		ModifyResponse: func(answer *http.Response) error {
			release := r.assets.Load()
			if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
				release = r.pages.Load()
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				return err
			}
			body = []byte(strings.ReplaceAll(string(body), static.Version(), nameOf(release)))
			answer.Body = io.NopCloser(strings.NewReader(string(body)))
			answer.Header.Set("Content-Length", strconv.Itoa(len(body)))
			// What the browser's own cache might save is not what is tested.
			answer.Header.Set("Cache-Control", "no-store")
			return nil
		},
	}
	r.server = httptest.NewServer(proxy)
	t.Cleanup(r.server.Close)
	return r
}

func (r *releases) set(assets, pages int32) {
	r.assets.Store(assets)
	r.pages.Store(pages)
}

// shells names the shells that the browser holds.
func (p *tab) shells() string {
	p.t.Helper()
	return eval[string](p, `caches.keys().then((k) => k.filter((n) => n.startsWith('shell-')).map((n) => Number(n.split('-')[1])).join(' '))`)
}

// update has the browser look for a new service worker and waits for what
// becomes of it: "activated", or "redundant" where it could not be installed. After a
// visit the browser looks by itself too: what that has found and installed is not
// found again.
func (p *tab) update() string {
	p.t.Helper()
	return eval[string](p, `(async () => {
		const registration = await navigator.serviceWorker.getRegistration();
		const settled = (worker) => new Promise((resolve) => {
			const look = () => ['activated', 'redundant'].includes(worker.state) && resolve(worker.state);
			worker.addEventListener('statechange', look);
			look();
		});
		if (registration.installing) await settled(registration.installing);
		const found = new Promise((resolve) => registration.addEventListener('updatefound', () => resolve(registration.installing)));
		await registration.update();
		const worker = await Promise.race([found, new Promise((resolve) => setTimeout(resolve, 10_000))]);
		return settled(worker ?? registration.installing ?? registration.active);
	})()`)
}

// whole fails the test unless the page has its styles and its scripts.
func (p *tab) whole(release int32) {
	p.t.Helper()
	p.wait(`document.documentElement.classList.contains('ready')`)
	p.holds(`document.querySelector('link[rel="stylesheet"]').href.includes('` + nameOf(release) + `')`)
	p.holds(`[...document.styleSheets].length > 3 && getComputedStyle(document.querySelector('.button, .drop')).borderRadius !== '0px'`)
}

func TestReleasesLeaveNobodyWithoutStyles(t *testing.T) {
	s, p := startSite(t), open(t, "")
	r := startReleases(t, s)
	home := r.server.URL
	p.expect("net::ERR_", "belongs to another release")
	p.visit(home)
	p.wait(`navigator.serviceWorker.controller`)
	if got := p.shells(); got != "1" {
		t.Fatalf("shells %q", got)
	}

	// A page is open while the release changes. What it loads later, such as the
	// worker that opens results, is of its own release.
	r.set(2, 2)
	if got := p.update(); got != "activated" {
		t.Fatalf("the new service worker is %s", got)
	}
	p.pick(photo(t, "a.jpg", 200, 150))
	p.results(1)
	p.kept(1)

	// An edge that was not purged still has the page of the last release.
	r.set(2, 1)
	p.visit(home)
	p.whole(1)

	// A new service worker does not take such pages in, and the old one stays.
	r.set(3, 2)
	if got := p.update(); got != "redundant" {
		t.Errorf("a shell with pages of another release is %s", got)
	}
	if got := p.shells(); got != "1 2" {
		t.Errorf("shells %q, want those before", got)
	}
	p.visit(home)
	p.whole(2)
	r.set(3, 3)
	if got := p.update(); got != "activated" {
		t.Errorf("with pages of its own release it is %s", got)
	}
	if got := p.shells(); got != "2 3" {
		t.Errorf("shells %q, want the new one and the last", got)
	}
	r.server.Close()
	p.visit(home)
	p.whole(3)
}

func TestNewSettingsReplaceTheShell(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.wait(`navigator.serviceWorker.controller`)
	changed := *s.settings.Load()
	changed.MaxUpload = 7 << 20
	s.settings.Store(&changed)
	if got := p.update(); got != "activated" {
		t.Errorf("the new service worker is %s", got)
	}
	page := eval[string](p, `(async () => { const names = (await caches.keys()).filter((n) => n.startsWith('shell-'));
		return (await caches.match('/', { cacheName: names.at(-1) })).text() })()`)
	if !strings.Contains(page, "7 MB") {
		t.Error("the new shell holds the old page")
	}
}
