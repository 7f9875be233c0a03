package browsertest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

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
	name := eval[string](p, `document.querySelector('#viewer h2').textContent`) // either may be the newest
	at(t, folder, strings.TrimSuffix(name, ".jpg")+"-cutout.png", 1, 1, 0, 0, 0, 0)
	p.click(`#viewer [data-do="delete"]`)
	p.wait(`document.querySelectorAll('.tile').length === 1`)
	for _, path := range []string{"/privacy", "/contact"} {
		p.visit(s.url + path)
		p.wait("document.documentElement.classList.contains('ready')")
	}
	p.visit(s.url + "/device/data")
	p.wait(`document.querySelector('h1').textContent === 'You are offline'`)
	p.accessible("offline")
	p.visit(s.url)
	p.wait("document.documentElement.classList.contains('ready')")
	p.pick(photo(t, "three.jpg", 300, 200))
	p.wait(`document.querySelector('.problem h3')?.textContent === 'The connection was lost'`)
	p.accessible("connection lost")
}

// A photo shared to the installed app is posted to the form's address by the
// system; a form of the page does the same here.
func TestSharedPhotosLandInTheQueue(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.wait(`navigator.serviceWorker.controller`)
	p.act(`const form = document.createElement('form'); form.method = 'post'; form.enctype = 'multipart/form-data';
		form.action = '/device/cutouts?shared=1'; form.innerHTML = '<input type="file" name="image" id="shared" multiple>'; document.body.append(form)`)
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#shared"), []string{photo(t, "from-phone.jpg", 300, 200), photo(t, "zwei ä.jpg", 301, 200)}))
	p.act(`document.querySelector('#shared').form.submit()`)
	p.wait(`location.pathname === '/' && document.querySelectorAll('.result .tools:not([hidden])').length === 2`)
	p.holds(`[...document.querySelectorAll('.result h3')].map((h) => h.textContent).sort().join() === 'from-phone.jpg,zwei ä.jpg'`)
	if left := eval[int](p, `caches.open('shared').then((c) => c.keys()).then((k) => k.length)`); left != 0 {
		t.Errorf("%d shared photos left in storage", left)
	}
}
