package browsertest

import (
	"bytes"
	"fmt"
	"image"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/image/tiff"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/core/web"
)

// within fails the test unless what a selector finds lies in the window as a whole.
func (p *tab) inWindow(state, selector string) {
	p.t.Helper()
	box := eval[[]float64](p, fmt.Sprintf(`(() => { const { top, bottom, left, right, height } = document.querySelector(%q).getBoundingClientRect(); return [top, bottom, left, right, height, innerWidth, innerHeight] })()`, selector))
	if box[0] < 0 || box[1] > box[6] || box[2] < 0 || box[3] > box[5] || box[4] == 0 {
		p.t.Errorf("%s: %s is at %.0f to %.0f, %.0f to %.0f in a window of %.0fx%.0f", state, selector, box[0], box[1], box[2], box[3], box[5], box[6])
	}
}

// Once there is a result, it and its download are in the first screen, whatever
// the picture's shape, for one photo and for several.
func TestResultAndDownloadAreInTheFirstScreen(t *testing.T) {
	s, p := startSite(t), open(t, "")
	for _, screen := range []struct{ width, height int64 }{{1440, 900}, {390, 844}} {
		for _, shape := range []struct{ width, height int }{{1200, 900}, {900, 1200}, {2000, 500}} {
			p.screen(screen.width, screen.height, "light")
			p.visit(s.url)
			p.wait("document.documentElement.classList.contains('ready')")
			p.act(`scrollTo(0, 400)`) // wherever the page was
			p.pick(photo(t, "a.jpg", shape.width, shape.height))
			p.results(1)
			p.wait(`document.querySelector('.after').naturalWidth`)
			state := fmt.Sprintf("%dx%d on %dx%d", shape.width, shape.height, screen.width, screen.height)
			p.inWindow(state, ".plate")
			p.inWindow(state, `[data-act="save"]`)
			p.holds(`!document.querySelector('.weight').textContent || document.querySelector('.weight').textContent.endsWith('B')`)
			if screen.width > 1000 {
				p.inWindow(state, ".swatch:last-of-type")
			}
			p.pick(photo(t, "b.jpg", shape.width, shape.height))
			p.results(2)
			p.inWindow(state+", of two", ".plate")
			p.inWindow(state+", of two", `[data-act="save"]`)
			p.holds(`(() => { const a = document.querySelector('.plate').getBoundingClientRect(), b = document.querySelector('.save').getBoundingClientRect(); return a.bottom <= b.top || a.right <= b.left })()`)
			p.inWindow(state+", of two", `[data-do="zip"]`)
		}
	}
}

// The whole of the slim bar opens the picker; dropping works on the gallery too.
func TestPhotosComeInEverywhere(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.screen(1280, 900, "light")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 300, 200))
	p.results(1)
	p.act(`document.getElementById('image').addEventListener('click', (e) => { e.preventDefault(); window.opened = (window.opened ?? 0) + 1 })`)
	p.holds(`document.querySelector('.drop').getBoundingClientRect().height < 64`)
	box := eval[[]float64](p, `(() => { const { x, y, width, height } = document.querySelector('.drop').getBoundingClientRect(); return [x, y, width, height] })()`)
	for _, share := range []float64{.02, .5, .98} {
		p.do(chromedp.MouseClickXY(box[0]+share*box[2], box[1]+box[3]/2))
	}
	p.wait(`window.opened === 3`)
	p.visit(s.url + "/gallery")
	p.wait("document.getElementById('grid').ariaBusy === 'false'")
	p.act(`const c = new OffscreenCanvas(60, 40); c.getContext('2d').fillRect(5, 5, 9, 9);
		const transfer = new DataTransfer(); transfer.items.add(new File([await c.convertToBlob({ type: 'image/png' })], 'dropped.png', { type: 'image/png' }));
		const fire = (type) => document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
		fire('dragenter'); window.veiled = !document.getElementById('veil').hidden; fire('dragover'); fire('drop')`)
	p.wait(`location.pathname === '/' && document.querySelector('#stage .name')?.textContent === 'dropped.png'`)
	p.results(1)
}

// Several photos: a grid with states, one of them in focus with a filmstrip, keys.
func TestSeveralPhotosAreOneDesk(t *testing.T) {
	s, p := startSite(t), open(t, "")
	gate := make(chan struct{}, 12)
	s.line.set(func(l *line) { l.gate = gate })
	p.screen(1280, 900, "light")
	p.visit(s.url)
	p.pick(photos(t, 12, 300, 200)...)
	p.wait(`document.querySelectorAll('[data-state="sending"]').length >= 3`)
	p.holds(`document.getElementById('desk').hidden && document.querySelector('.work').dataset.view === 'all'`)
	p.holds(`new Set([...document.querySelectorAll('.card .backing')].map((b) => b.offsetHeight)).size === 1`)
	for range 7 {
		gate <- struct{}{}
	}
	p.wait(`document.querySelector('[data-do="zip"] span').textContent === 'Download 7 of 12'`)
	p.holds(`document.querySelectorAll('.tools').length === 1`)
	p.accessible("seven of twelve")
	p.screen(1280, 900, "light")
	folder, save := p.downloads()
	save(func() { p.click(`[data-do="zip"]`) })
	if names := listZIP(t, filepath.Join(folder, "cutouts.zip")); len(names) != 7 {
		t.Errorf("the ZIP holds %q", names)
	}
	for range 5 {
		gate <- struct{}{}
	}
	p.results(12)
	p.holds(`document.querySelector('[data-do="zip"] span').textContent === 'Download all'`)
	p.look(3)
	p.holds(`document.activeElement.matches('#stage .name') && document.activeElement.textContent === 'photo-3.jpg'`)
	p.press(kb.ArrowRight)
	p.wait(`document.querySelector('#stage .name').textContent === 'photo-4.jpg'`)
	p.press(kb.ArrowLeft, kb.ArrowLeft)
	p.wait(`document.querySelector('#stage .name').textContent === 'photo-2.jpg' && document.querySelector('.card:nth-child(2) [aria-current]')`)
	// A card can be removed, and brought back to its place.
	p.act(`document.querySelector('.card:nth-child(2) .remove').click()`)
	p.wait(`document.querySelectorAll('.card').length === 11 && document.querySelector('#stage .name').textContent === 'photo-3.jpg'`)
	p.click(`[data-key="removed"] .button:not(.quiet)`)
	p.wait(`document.querySelector('.card:nth-child(2) b').textContent === 'photo-2.jpg' && document.querySelector('#stage .name').textContent === 'photo-2.jpg'`)
	p.act(`document.querySelector('#stage .name').focus()`)
	p.press(kb.Escape)
	p.wait(`document.getElementById('desk').hidden`)
	p.click(`[data-do="clear"]`)
	p.wait(`document.getElementById('work').hidden && document.querySelector('.demo').checkVisibility()`)
	p.click(`[data-key="cleared"] .button:not(.quiet)`)
	p.wait(`document.querySelectorAll('.card').length === 12`)
}

// Try Best sends the same photo again; either result can be kept.
func TestTryBestKeepsEither(t *testing.T) {
	s, p := startSite(t), open(t, "")
	modes := make(chan cutout.Mode, 10)
	s.line.set(func(l *line) {
		l.observe = func(job cutout.Job) { modes <- job.Options.Mode }
		l.edit = func(r *cutout.Result) {
			r.Subject = cutout.SubjectUnsure
			if len(modes) > 1 {
				r.Subject, r.MediaType = cutout.SubjectFound, "image/png"
			}
		}
	})
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 400, 300))
	p.results(1)
	p.kept(1)
	p.holds(`document.querySelector('.nothing').textContent.includes('try Best')`)
	p.click(`[data-action="best"]`)
	p.wait(`document.querySelectorAll('.pane:not([hidden]) .side img').length === 2 && document.activeElement.textContent === 'Which one do you keep?'`)
	p.accessible("which one")
	at := eval[[]float64](p, `(() => { const r = document.querySelector('.side img').getBoundingClientRect(); return [r.x + 0.25 * r.width, r.y + 0.75 * r.height] })()`)
	p.mouse(input.DispatchMouseEventTypeMouseMoved, at[0], at[1], 0)
	larger := `[...document.querySelectorAll('.side img')].every((img) => {
		const { scale, transformOrigin } = getComputedStyle(img);
		const [x, y] = transformOrigin.split(' ').map(parseFloat);
		return scale === '3' && Math.abs(x / img.offsetWidth - %g) < 0.02 && Math.abs(y / img.offsetHeight - 0.75) < 0.02;
	})`
	p.wait(fmt.Sprintf(larger, 0.25))
	p.act(`document.querySelector('.thumb.close').focus()`)
	p.do(chromedp.KeyEvent(kb.ArrowRight))
	p.wait(fmt.Sprintf(larger, 0.35))
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait(`[...document.querySelectorAll('.side img')].every((img) => getComputedStyle(img).scale === 'none')`)
	p.click(`.pane:not([hidden]) [data-act="old"]`)
	p.wait(`document.getElementById('stage').checkVisibility() && document.querySelector('.nothing').checkVisibility()`)
	p.click(`[data-action="best"]`)
	p.wait(`document.querySelector('.pane:not([hidden]) [data-act="new"]')`)
	p.click(`.pane:not([hidden]) [data-act="new"]`)
	p.wait(`document.getElementById('stage').checkVisibility() && !document.querySelector('.nothing').checkVisibility()`)
	p.holds(`document.querySelector('[data-action="best"]').hidden`)
	p.wait(`JSON.parse(localStorage.getItem('gallery'))[0].mode === 'best'`)
	for _, want := range []cutout.Mode{cutout.Auto, cutout.Best, cutout.Best} {
		if got := <-modes; got != want {
			t.Errorf("mode %s, want %s", got, want)
		}
	}
	if len(modes) > 0 {
		t.Errorf("%d more", len(modes))
	}
}

// A JPEG has no transparency: its white is seen before it is saved.
func TestJPEGShowsItsWhite(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.screen(1280, 900, "dark")
	p.pick(photo(t, "a.jpg", 400, 300))
	p.results(1)
	// The chequers are light in the dark too, until another ground is chosen.
	p.holds(`getComputedStyle(document.querySelector('.backdrop')).backgroundImage.includes('rgb(255, 255, 255)')`)
	p.click(`.behind [value="dark"]`)
	p.holds(`!getComputedStyle(document.querySelector('.backdrop')).backgroundImage.includes('rgb(255, 255, 255)')`)
	p.act(controls + `set('type', 'image/jpeg')`)
	p.holds(`getComputedStyle(document.querySelector('.backdrop')).backgroundColor === 'rgb(255, 255, 255)' && getComputedStyle(document.querySelector('.backdrop')).backgroundImage === 'none'`)
	p.wait(`/^\d+ KB$/.test(document.querySelector('.weight').textContent)`)
}

// What this browser cannot show is converted in it, and sent nowhere for that: a photo, to
// be compared with its result, and a background.
func TestPicturesThatTheBrowserCannotOpen(t *testing.T) {
	s, p := startSite(t), open(t, "")
	var file bytes.Buffer
	if err := tiff.Encode(&file, image.NewGray(image.Rect(0, 0, 60, 40)), nil); err != nil {
		t.Fatal(err)
	}
	p.visit(s.url)
	p.pick(write(t, "a.tif", file.Bytes()))
	p.results(1)
	p.holds(`document.querySelector('.views').hidden && document.querySelector('.swatch [value="blur"]').disabled`)
	requests := len(s.requests())
	p.click(`[data-action="original"]`)
	p.wait(`document.querySelector('.plate .before')?.naturalWidth === 60`)
	p.holds(`!document.querySelector('.views').hidden && document.querySelector('[data-action="original"]').hidden`)
	p.click(`.swatch [value="blur"]`)
	p.wait(`document.querySelector('.plate').dataset.backdrop === 'blur' && document.querySelector('.backdrop img')`)
	p.do(chromedp.SetUploadFiles(chromedp.CSS(`.backdrops [type="file"]`), []string{write(t, "behind.tif", file.Bytes())}))
	p.wait(`document.querySelector('.plate').dataset.backdrop === 'picture' && document.querySelector('.backdrop img')`)
	for _, x := range s.requests()[requests:] {
		if x.Received > 0 {
			t.Errorf("%s received %d bytes", x.Route, x.Received)
		}
	}
}

// A server that goes away and comes back: the photo is sent again by itself.
func TestPhotosGoOutAgainWhenTheServerIsBack(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.expect("net::ERR_", "htmx:(afterRequest|sendError)", "status of 502")
	p.visit(s.url)
	p.wait(`document.documentElement.classList.contains('ready')`)
	p.block("*://*:*/device/cutouts")
	p.pick(photo(t, "a.jpg", 300, 200))
	p.wait(`document.querySelector('.problem h3')?.textContent === 'The server can’t be reached' && /Trying again in/.test(document.querySelector('.problem .wait')?.textContent)`)
	p.accessible("server away")
	p.pick(photo(t, "b.jpg", 300, 200))
	// At one moment: between two, a photo may be on its way again.
	p.wait(`document.querySelectorAll('.card[data-state="failed"]').length === 2 && document.querySelector('[data-do="retry"]').checkVisibility()`)
	p.block()
	p.results(2)
}

// What an operator has blocked is not told that a limit was reached.
func TestBlockedIsNotTheLimit(t *testing.T) {
	var limiter *ratelimit.Limiter
	s, p := startSite(t, func(o *web.Options) { limiter = o.Limiter.(*ratelimit.Limiter) }), open(t, "")
	p.expect("status of 403")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 200, 150))
	p.results(1)
	limiter.Block(limiter.Busiest(1)[0].Device)
	p.pick(photo(t, "b.jpg", 200, 150))
	p.click(`.card:nth-child(2) .open`)
	p.wait(`document.querySelector('[data-code="blocked"]')`)
	p.holds(`document.querySelector('[data-code="blocked"] h3').textContent === 'This device is blocked' && !document.querySelector('[data-code="blocked"] [data-act="retry"]') && !document.querySelector('.wait')`)
	p.accessible("blocked")
}

// The quota line is silent until ten are left, and renews itself.
func TestQuotaLineRenewsItself(t *testing.T) {
	s, p := startSite(t, limited(12)), open(t, "")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 200, 150))
	p.results(1)
	p.holds(`document.getElementById('quota').textContent === ''`)
	p.pick(photos(t, 2, 200, 150)...)
	p.results(3)
	p.wait(`document.getElementById('quota').textContent === '9 photos left this hour'`)
	if delay := eval[string](p, `document.querySelector('#quota span').getAttribute('hx-trigger')`); !strings.HasPrefix(delay, "load delay:") {
		t.Errorf("it asks again %q", delay)
	}
}

// One click on a sample removes its background; without scripts it is a link.
func TestSamplesAreOneClickAway(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.screen(390, 844, "light")
	p.visit(s.url)
	p.wait("document.documentElement.classList.contains('ready')")
	for _, screen := range []struct{ width, height int64 }{{1440, 900}, {390, 844}} {
		p.screen(screen.width, screen.height, "light")
		for _, part := range []string{"h1", ".frame", ".samples", ".drop", ".promises h2"} {
			p.inWindow(fmt.Sprintf("front page at %d", screen.width), part)
		}
	}
	p.screen(1440, 900, "light")
	x, y := p.middle(".frame")
	p.do(chromedp.MouseEvent("mouseMoved", x+100, y))
	p.wait(`parseFloat(getComputedStyle(document.querySelector('.over')).getPropertyValue('--at')) > 60`)
	p.click(`.samples a[download="cat.jpg"]`)
	p.results(1)
	p.holds(`document.querySelector('#stage .name').textContent === 'cat.jpg'`)
	plain := withoutScripts(t)
	plain.visit(s.url)
	if link := eval[string](plain, `document.querySelector('.samples a').href`); !strings.HasPrefix(link, s.url+"/static/") {
		t.Errorf("without scripts a sample leads to %q", link)
	}
}

// Results that were kept can be tried in Best too: the original is kept with them.
func TestTryBestInTheGallery(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.screen(1280, 900, "light")
	p.fill(s, photo(t, "one.jpg", 300, 200))
	p.click(`.tile [data-do="open"]`)
	p.wait(`document.getElementById('viewer').open && document.querySelector('[data-action="best"]').checkVisibility()`)
	p.click(`[data-action="best"]`)
	p.wait(`document.querySelectorAll('.side img').length === 2 && document.querySelector('.side img').checkVisibility()`)
	p.accessible("which one in the gallery")
	p.click(`[data-act="new"]`)
	p.wait(`document.querySelector('#viewer .stage').checkVisibility() && document.querySelector('[data-action="best"]').hidden`)
	p.wait(`JSON.parse(localStorage.getItem('gallery'))[0].mode === 'best'`)
	p.holds(`document.querySelectorAll('.pane').length === 0`)
}
