package browsertest

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// fill makes results and opens the gallery that holds them.
func (p *tab) fill(s *site, files ...string) {
	p.t.Helper()
	p.visit(s.url)
	p.pick(files...)
	p.results(len(files))
	p.kept(len(files))
	p.openGallery(s, len(files))
}

// kept waits until the gallery holds so many pictures.
func (p *tab) kept(count int) {
	p.t.Helper()
	p.wait(fmt.Sprintf("JSON.parse(localStorage.getItem('gallery') ?? '[]').length === %d", count))
}

func (p *tab) openGallery(s *site, tiles int) {
	p.t.Helper()
	p.visit(s.url + "/gallery")
	p.wait("document.getElementById('grid').ariaBusy === 'false'")
	if tiles == 0 {
		p.wait("!document.getElementById('empty').hidden")
		return
	}
	p.wait(fmt.Sprintf("document.querySelectorAll('.tile').length === %d", tiles))
	p.wait("[...document.querySelectorAll('.tile img')].every((i) => i.naturalWidth)")
}

// parts fails the test unless the gallery's storage holds the pictures of so many
// entries: cut-out, view, thumbnail, its look, view of the original, original.
func (p *tab) parts(entries int) {
	p.t.Helper()
	if left := eval[int](p, `caches.open('gallery').then((c) => c.keys()).then((k) => k.length)`); left != 6*entries {
		p.t.Errorf("%d pictures in the cache, want those of %d entries", left, entries)
	}
}

func TestGalleryKeepsShowsAndDeletes(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.fill(s, photo(t, "one.jpg", 640, 480), photo(t, "two.jpg", 320, 240))
	p.holds(`/^2 pictures · .* used of /.test(document.getElementById('tally').textContent)`)
	p.holds(`[...document.querySelectorAll('.caption small')].some((s) => s.textContent.startsWith('640 × 480'))`)
	p.click(`.tile:first-child [data-do="open"]`)
	p.wait(`document.getElementById('viewer').open && document.querySelector('#viewer .before')?.naturalWidth`)
	p.holds(`document.activeElement.id === 'viewer-title'`)
	p.click(`#viewer [data-view="50"]`)
	p.holds(`document.querySelector('#viewer .plate').style.getPropertyValue('--split') === '50%'`)
	// The address of a picture is answered by the service worker alone.
	p.wait(`navigator.serviceWorker.controller`)
	if got := eval[string](p, `fetch(document.querySelector('[data-open]').href).then((r) => r.status + ' ' + r.headers.get('Content-Type'))`); got != "200 image/png" {
		t.Errorf("/gallery/<id> answers %s", got)
	}
	p.click(`#viewer [data-do="delete"]`)
	p.wait(`document.querySelectorAll('.tile').length === 1`)
	p.wait(`document.activeElement.closest('.tile')`)
	p.click(`[data-key="deleted"] .button:not(.quiet)`) // undo
	p.wait(`document.querySelectorAll('.tile').length === 2`)
	p.click(`.tile:first-child [data-do="delete"]`)
	p.wait(`document.querySelectorAll('.tile').length === 1`)
	p.visit(s.url + "/gallery") // another visit does not bring it back
	p.wait(`document.querySelectorAll('.tile').length === 1`)
	p.act(`await (await import(document.querySelector('script[type="module"]').src.replace('gallery.js', 'store.js'))).purge(0)`)
	p.parts(1)
	p.click(`#bar [data-do="clear"]`)
	p.wait(`document.getElementById('confirm').open`)
	p.click(`#confirm [value="no"]`)
	p.holds(`document.querySelectorAll('.tile').length === 1`)
	p.click(`#bar [data-do="clear"]`)
	p.click(`#confirm [value="yes"]`)
	p.wait(`!document.getElementById('empty').hidden`)
	p.holds(`localStorage.getItem('gallery') === null`)
	for _, x := range s.requests() {
		if strings.HasPrefix(x.Route, "/gallery/") {
			t.Error("the server was asked for a picture of the gallery")
		}
	}
}

// What is chosen for a picture is stored with it, on the start page and in the
// gallery, and is not left over for the next.
func TestStylingIsKeptInTheGallery(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.pick(photo(t, "one.jpg", 640, 480))
	p.results(1)
	p.kept(1)
	p.act(controls + `set('type', 'image/webp'); tick('crop')`)
	p.do(chromedp.SetUploadFiles(chromedp.CSS(`.backdrops [type="file"]`), []string{photo(t, "behind.jpg", 90, 200)}))
	p.wait(`document.querySelector('.plate').dataset.backdrop === 'picture' && document.querySelector('.size').textContent !== '640 × 480'`)
	whole := eval[string](p, `document.querySelector('.size').textContent`)
	p.wait(`JSON.parse(localStorage.getItem('gallery'))[0].style.background.kind === 'picture'`)
	p.pick(photo(t, "two.jpg", 320, 240))
	p.results(2)
	p.kept(2)
	p.openGallery(s, 2)
	open := func(name string) {
		t.Helper()
		p.act(`[...document.querySelectorAll('.tile')].find((t) => t.textContent.includes('` + name + `')).querySelector('[data-do="open"]').click()`)
		p.wait(`document.getElementById('viewer').open && document.querySelector('#viewer .name').textContent === '` + name + `'`)
	}
	open("one.jpg")
	p.wait(`document.querySelector('#viewer .backdrop img') && document.querySelector('#viewer .size').textContent === '` + whole + `'`)
	p.holds(`document.querySelector('#viewer [name="type"]').value === 'image/webp' && document.querySelector('#viewer [name="crop"]').checked`)
	p.accessible("gallery options")
	// The original is there at full size: the blurred background is made from it.
	p.click(`#viewer .swatch [value="blur"]`)
	p.click(`#viewer [name="shadow"]`)
	p.wait(`document.querySelector('#viewer .cast') && document.querySelector('#viewer .plate').dataset.backdrop === 'blur'`)
	p.wait(`JSON.parse(localStorage.getItem('gallery')).some(({ style }) => style.background.kind === 'blur' && style.shadow === .5)`)
	p.click(`#viewer [data-do="close"]`)
	open("two.jpg")
	p.holds(`!document.querySelector('#viewer .cast') && !document.querySelector('#viewer .backdrop img')`)
	p.holds(`![...document.querySelectorAll('#viewer [type="checkbox"]')].some((box) => box.checked)`)
	p.holds(`document.querySelector('#viewer [value="none"]').checked && document.querySelector('#viewer .size').textContent === '320 × 240'`)
	// Previous and next, by button and by key.
	p.holds(`document.getElementById('place').textContent === '1 of 2' && document.querySelector('[data-do="previous"]').disabled`)
	p.click(`#viewer [data-do="next"]`)
	p.wait(`document.querySelector('#viewer .name').textContent === 'one.jpg' && document.querySelector('[data-do="next"]').disabled`)
	p.press(kb.ArrowLeft)
	p.wait(`document.querySelector('#viewer .name').textContent === 'two.jpg'`)
}

func TestSeveralAreSelectedInTheGallery(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.fill(s, photo(t, "one.jpg", 300, 200), photo(t, "two.jpg", 301, 200), photo(t, "three.jpg", 302, 200))
	p.act(`for (const box of [...document.querySelectorAll('.select input')].slice(0, 2)) box.click()`)
	p.holds(`document.getElementById('tally').textContent === '2 selected'`)
	p.accessible("gallery selected")
	folder, save := p.downloads()
	save(func() { p.click(`[data-do="downloadSome"]`) })
	if names := listZIP(t, filepath.Join(folder, "cutouts.zip")); len(names) != 2 {
		t.Errorf("the ZIP holds %q", names)
	}
	p.click(`[data-do="deleteSome"]`)
	p.wait(`document.querySelectorAll('.tile').length === 1 && document.querySelector('[data-key="deleted"] p').textContent === '2 pictures deleted.'`)
	p.click(`[data-key="deleted"] .button:not(.quiet)`)
	p.wait(`document.querySelectorAll('.tile').length === 3 && document.getElementById('some').hidden`)
}

func TestGalleryGoesOutAndComesBackAsZIP(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.fill(s, photo(t, "one.jpg", 300, 200), photo(t, "one.jpg", 301, 200))
	folder, save := p.downloads()
	save(func() { p.click(`[data-do="export"]`) })
	names := listZIP(t, filepath.Join(folder, "gallery.zip"))
	if len(names) != 9 || names[0] != "gallery.json" || names[1] != "one-cutout-2.png" {
		t.Errorf("the ZIP holds %q", names)
	}
	p.click(`#bar [data-do="clear"]`)
	p.click(`#confirm [value="yes"]`)
	p.wait(`!document.getElementById('empty').hidden`)
	bring := func() {
		p.do(chromedp.SetUploadFiles(chromedp.CSS("#import"), []string{filepath.Join(folder, "gallery.zip")}))
	}
	bring()
	p.wait(`document.querySelectorAll('.tile').length === 2`)
	p.wait(`[...document.querySelectorAll('.tile img')].every((i) => i.naturalWidth)`)
	bring() // a second time brings nothing new
	p.wait(`document.querySelector('#announcer').textContent === 'There was nothing new in that file.'`)
	p.holds(`document.querySelectorAll('.tile').length === 2`)
	for _, content := range []string{"", "PK\x05\x06 not a ZIP file at all, really", strings.Repeat("x", 100_000)} {
		p.do(chromedp.SetUploadFiles(chromedp.CSS("#import"), []string{write(t, "bad.zip", []byte(content))}))
		p.wait(`document.querySelector('[data-key="failed"]')?.textContent.includes('That did not work')`)
		p.act(`document.querySelector('[data-key="failed"]').remove()`)
	}
}

func TestGalleryMendsWhatTheBrowserTookAway(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.fill(s, photo(t, "one.jpg", 300, 200), photo(t, "two.jpg", 301, 200))
	p.act(`const [{ id }] = JSON.parse(localStorage.getItem('gallery')); await (await caches.open('gallery')).delete('/gallery/' + id);
		await (await caches.open('gallery')).put('/gallery/stray', new Response('x', { headers: { 'X-Saved': '1' } }))`)
	p.openGallery(s, 1)
	p.holds(`document.querySelector('[data-key="lost"]').textContent.includes('one picture')`)
	p.holds(`JSON.parse(localStorage.getItem('gallery')).length === 1`)
	p.parts(1)
	call(p, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: s.url, StorageTypes: "cache_storage"})
	p.openGallery(s, 0)
	p.act(`localStorage.setItem('gallery', '{"not":"a list"}')`)
	p.openGallery(s, 0)
}

func TestFullStorageLosesNothingInSilence(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.wait(`navigator.serviceWorker.controller`)
	used := eval[float64](p, `navigator.storage.estimate().then((e) => e.usage)`)
	call(p, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: s.url, QuotaSize: new(used + 1000)})
	p.pick(photo(t, "one.jpg", 900, 700))
	p.results(1)
	p.wait(`document.querySelector('[data-key="gallery"]')?.textContent.includes('no space left')`)
	p.holds(`!JSON.parse(localStorage.getItem('gallery') ?? '[]').length`)
	p.accessible("storage full")
	if left := eval[int](p, `caches.open('gallery').then((c) => c.keys()).then((k) => k.length)`); left != 0 {
		t.Errorf("%d parts of a picture were left behind", left)
	}
}

func TestImportWithoutRoomSaysSo(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.fill(s, photo(t, "one.jpg", 900, 700))
	folder, save := p.downloads()
	save(func() { p.click(`[data-do="export"]`) })
	p.click(`#bar [data-do="clear"]`)
	p.click(`#confirm [value="yes"]`)
	p.wait(`!document.getElementById('empty').hidden`)
	used := eval[float64](p, `navigator.storage.estimate().then((e) => e.usage)`)
	call(p, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: s.url, QuotaSize: new(used + 1000)})
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#import"), []string{filepath.Join(folder, "gallery.zip")}))
	p.wait(`document.querySelector('[data-key="failed"]')?.textContent.includes('no space left')`)
	p.accessible("gallery without room")
	p.holds(`!document.getElementById('empty').hidden`)
}

func TestGalleryCanBeSwitchedOff(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.openGallery(s, 0)
	p.click("#keep")
	p.visit(s.url)
	p.pick(photo(t, "one.jpg", 300, 200))
	p.results(1)
	p.openGallery(s, 0)
	p.holds(`!document.getElementById('keep').checked`)
}
