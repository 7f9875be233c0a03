package browsertest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A page that opens without the worker although that is active, as after a reload that
// passes it by, asks for it.
func TestAnActiveWorkerTakesAPageThatIsWithoutIt(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.wait(`navigator.serviceWorker.controller`)
	p.act(`window.old = true`)
	call(p, page.Reload, page.ReloadParams{IgnoreCache: new(true)})
	p.wait(`!window.old && navigator.serviceWorker.controller`)
}

func TestGalleryWorksWithTheServerStopped(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.expect("net::ERR_", "htmx:(afterRequest|sendError)") // the connection is lost on purpose
	p.fill(s, photo(t, "one.jpg", 300, 200), photo(t, "two.jpg", 301, 200))
	p.wait(`navigator.serviceWorker.controller`)
	s.stop()
	p.openGallery(s, 2)
	p.click(`.tile [data-do="open"]`)
	p.wait(`document.getElementById('viewer').open && document.querySelector('#viewer .before')?.naturalWidth`)
	folder, save := p.downloads()
	save(func() { p.click(`#viewer [data-act="save"]`) })
	name := eval[string](p, `document.querySelector('#viewer .name').textContent`) // either may be the newest
	at(t, folder, strings.TrimSuffix(name, ".jpg")+"-cutout.png", 1, 1, 0, 0, 0, 0)
	p.click(`#viewer [data-do="delete"]`)
	p.wait(`document.querySelectorAll('.tile').length === 1`)
	for _, path := range []string{"/privacy", "/contact"} {
		p.visit(s.url + path)
		p.wait("document.documentElement.classList.contains('ready')")
	}
	p.visit(s.url + "/device/data")
	p.wait(`document.querySelector('h1').textContent === 'No connection to the server'`)
	p.accessible("offline")
	p.visit(s.url)
	p.wait("document.documentElement.classList.contains('ready')")
	p.pick(photo(t, "three.jpg", 300, 200))
	p.wait(`document.querySelector('.problem h3')?.textContent === 'The server can’t be reached'`)
	p.accessible("connection lost")
}

// A photo shared to the installed app is posted to the form's address by the
// system; a form of the page does the same here. The photos wait for a click.
func TestSharedPhotosWaitForAClick(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.wait(`navigator.serviceWorker.controller`)
	p.share(s, photo(t, "from-phone.jpg", 300, 200), photo(t, "zwei ä.jpg", 301, 200))
	p.wait(`document.querySelector('[data-key="shared"] p')?.textContent.includes('2 photos were shared')`)
	p.accessible("shared photos")
	if left := eval[int](p, `caches.open('shared').then((c) => c.keys()).then((k) => k.length)`); left != 0 {
		t.Errorf("%d shared photos left in storage", left)
	}
	p.holds(`document.querySelectorAll('#cards > *').length === 0`)
	if n := s.uploads(); n != 0 {
		t.Errorf("%d uploads before anyone clicked", n)
	}
	p.click(`[data-key="shared"] .button:not(.quiet)`)
	p.results(2)
	p.holds(`[...document.querySelectorAll('.card b')].map((h) => h.textContent).sort().join() === 'from-phone.jpg,zwei ä.jpg'`)
}

// Another site has the visitor's browser share photos with this one: none of
// the visitor's limit is spent, and a dismissal ends the matter.
func TestAForeignPageSpendsNoQuota(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.wait(`navigator.serviceWorker.controller`)
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>another site</title>"))
	}))
	defer foreign.Close()
	p.visit(strings.Replace(foreign.URL, "127.0.0.1", "localhost", 1)) // of another site, to a browser
	p.act(`const form = document.createElement('form'); form.method = 'post'; form.enctype = 'multipart/form-data';
		form.action = '` + s.url + `/device/cutouts?shared=1'; form.innerHTML = '<input type="file" name="image" id="shared" multiple>'; document.body.append(form);
		const held = new DataTransfer(); for (let i = 0; i < 30; i++) held.items.add(new File(['x'.repeat(1000)], i + '.jpg', { type: 'image/jpeg' }));
		document.querySelector('#shared').files = held.files; form.submit()`)
	p.wait(`location.pathname === '/' && document.querySelector('[data-key="shared"] p')?.textContent.includes('10 photos were shared')`)
	p.click(`[data-key="shared"] .quiet`)
	p.visit(s.url + "/?shared")
	p.wait("document.documentElement.classList.contains('ready')")
	p.holds(`!document.querySelector('[data-key="shared"]') && document.querySelectorAll('#cards > *').length === 0`)
	if n := s.uploads(); n != 0 {
		t.Errorf("a foreign page made %d uploads", n)
	}
}

// share posts files as the system's share sheet does.
func (p *tab) share(s *site, files ...string) {
	p.t.Helper()
	p.act(`const form = document.createElement('form'); form.method = 'post'; form.enctype = 'multipart/form-data';
		form.action = '/device/cutouts?shared=1'; form.innerHTML = '<input type="file" name="image" id="shared" multiple>'; document.body.append(form)`)
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#shared"), files))
	p.act(`document.querySelector('#shared').form.submit()`)
	p.wait(`location.pathname === '/'`)
}

// uploads counts the posts that reached the server.
func (s *site) uploads() (n int) {
	for _, x := range s.requests() {
		if x.Method == http.MethodPost {
			n++
		}
	}
	return n
}
