package browsertest

import (
	"fmt"
	"image"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"bgremover.pro/core/cutout"
)

func TestPhotoComesBackCutOut(t *testing.T) {
	s, p := startSite(t), open(t, "")
	gate := make(chan struct{})
	s.line.set(func(l *line) { l.gate = gate })
	p.visit(s.url)
	p.pick(photo(t, "beach.jpg", 800, 600))
	p.wait(`document.querySelector('.step')?.textContent.includes('2 photos are ahead of yours')`)
	p.holds(`document.querySelector('.working h3').textContent === 'beach.jpg'`)
	p.wait(`document.querySelector('.pane .thumb img')?.naturalWidth > 0`)
	p.holds(`document.title.startsWith('0 of 1')`)
	gate <- struct{}{}
	p.results(1)
	p.holds(`document.querySelector('#stage .name').textContent === 'beach.jpg'`)
	p.holds(`document.activeElement === document.querySelector('#stage .name')`)
	p.wait(`document.querySelector('.after').naturalWidth === 800`)
	p.wait(`document.querySelector('.before').naturalWidth === 800`)
	p.holds(`document.querySelector('.after').src.startsWith('blob:')`)
	p.holds(`document.querySelector('#announcer').textContent === 'beach.jpg: background removed'`)
	p.holds(`document.querySelector('.facts').textContent.startsWith('800 × 600 pixels')`)
	p.holds(`document.getElementById('quota').textContent === ''`) // far from the limit nothing is said of it
	for _, x := range s.requests() {
		if x.Route == "/gallery/:id" {
			t.Errorf("the server was asked for a picture of the gallery")
		}
	}
}

func TestPhotosAreSentWithoutTheirNames(t *testing.T) {
	s, p := startSite(t), open(t, "")
	var uploads atomic.Int32
	s.line.set(func(l *line) {
		l.observe = func(job cutout.Job) {
			uploads.Add(1)
			if job.Options.Mode != cutout.Best {
				t.Errorf("mode %q, want the chosen one", job.Options.Mode)
			}
		}
	})
	p.visit(s.url)
	p.act(`window.sent = []; const send = XMLHttpRequest.prototype.send;
		XMLHttpRequest.prototype.send = function (body) { for (const [k, v] of body ?? []) sent.push(v instanceof File ? v.name : k); return send.call(this, body) }`)
	p.click(`#options summary`)
	p.click(`[name="mode"][value="best"]`)
	p.pick(photo(t, "very-secret-name.jpg", 300, 200))
	p.results(1)
	if sent := eval[[]string](p, "sent"); strings.Contains(fmt.Sprint(sent), "secret") {
		t.Errorf("sent %q", sent)
	}
	if uploads.Load() != 1 {
		t.Errorf("%d uploads", uploads.Load())
	}
}

func TestManyPhotosAtMostThreeAtOnce(t *testing.T) {
	const count = 40
	s, p := startSite(t), open(t, "")
	gate := make(chan struct{}, count)
	var running, most atomic.Int32
	s.line.set(func(l *line) {
		l.gate = gate
		l.observe = func(cutout.Job) {
			if now := running.Add(1); now > most.Load() {
				most.Store(now)
			}
		}
		l.edit = func(*cutout.Result) { running.Add(-1) }
	})
	p.visit(s.url)
	p.pick(photos(t, count, 120, 90)...)
	p.wait(`document.querySelectorAll('.card[data-state="sending"]').length === 3`)
	p.holds(fmt.Sprintf(`document.querySelectorAll('.card').length === %d`, count))
	for range count {
		gate <- struct{}{}
	}
	p.results(count)
	if most.Load() > 3 {
		t.Errorf("%d at once", most.Load())
	}
	p.wait(`JSON.parse(localStorage.getItem('gallery')).length === 40`)
}

func TestCancelAndRetryEach(t *testing.T) {
	s, p := startSite(t), open(t, "")
	gate := make(chan struct{})
	s.line.set(func(l *line) { l.gate = gate })
	p.expect("status of 50")
	p.visit(s.url)
	p.pick(photo(t, "first.jpg", 200, 200), photo(t, "second.jpg", 201, 200))
	p.wait(`document.querySelectorAll('.card[data-state="sending"]').length === 2`)
	p.wait(`[...document.querySelectorAll('.step')].every((s) => s.dataset.stage === 'waiting')`)
	p.click(`.card:first-child .open`)
	p.click(`.pane:not([hidden]) [data-act="cancel"]`)
	p.wait(`document.querySelectorAll('.card').length === 1`)
	s.line.set(func(l *line) {
		l.gate = nil
		l.fail = func(image.Config) error { return cutout.Errorf(cutout.Internal, "Something went wrong on our side.") }
	})
	p.click(`.pane:not([hidden]) [data-act="cancel"]`)
	p.wait(`document.getElementById('work').hidden`)
	p.pick(photo(t, "third.jpg", 200, 200))
	p.wait(`document.querySelector('.problem[data-code="internal"]')`)
	s.line.set(func(l *line) { l.fail = nil })
	p.click(`[data-act="retry"]`)
	p.results(1)
}

func TestEveryWayIn(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	// A drop and a paste are made by the page itself: the protocol's own drags
	// and clipboards hold no files.
	p.act(`const made = async (name) => { const c = new OffscreenCanvas(60, 40); c.getContext('2d').fillRect(5, 5, 9, 9);
			return new File([await c.convertToBlob({ type: 'image/png' })], name, { type: 'image/png' }) };
		const transfer = new DataTransfer(); transfer.items.add(await made('dropped.png'));
		const fire = (type) => document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
		fire('dragenter'); window.veiled = !document.getElementById('veil').hidden; fire('dragover'); fire('drop');
		const pasted = new DataTransfer(); pasted.items.add(await made('pasted.png'));
		document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: pasted, bubbles: true, cancelable: true }))`)
	p.holds(`veiled && document.getElementById('veil').hidden`)
	p.results(2)
	p.holds(`[...document.querySelectorAll('.card b')].map((h) => h.textContent).join() === 'dropped.png,pasted.png'`)
	p.holds(`!document.querySelector('.camera').checkVisibility()`)
	p.touch()
	p.wait(`document.querySelector('.camera').checkVisibility()`)
	p.holds(`document.getElementById('camera').getAttribute('capture') === 'environment'`)
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#camera"), []string{photo(t, "taken.jpg", 90, 60)}))
	p.results(3)
	p.photograph("phone", 390, "light")
}

func TestResultsAreSavedAsChosen(t *testing.T) {
	s, p := startSite(t), open(t, "")
	folder, saving := p.downloads()
	save := func(selector string) {
		t.Helper()
		saving(func() { p.click(selector) })
	}
	p.visit(s.url)
	p.pick(photo(t, "tree.jpg", 400, 300), photo(t, "tree.jpg", 401, 300))
	p.results(2)
	p.look(1)
	save(`[data-act="save"]`)
	at(t, folder, "tree-cutout.png", 2, 2, 0, 0, 0, 0)
	p.click(`.swatch [value="black"]`)
	save(`[data-act="save"]`)
	at(t, folder, "tree-cutout.png", 2, 2, 0, 0, 0, 255)
	p.act(`const type = document.querySelector('[name="type"]'); type.value = 'image/jpeg'; type.dispatchEvent(new Event('change'))`)
	save(`[data-act="save"]`)
	if _, err := os.Stat(filepath.Join(folder, "tree-cutout.jpg")); err != nil {
		t.Error(err)
	}
	save(`[data-do="zip"]`)
	names := listZIP(t, filepath.Join(folder, "cutouts.zip"))
	if want := "tree-cutout.jpg tree-cutout.png"; strings.Join(names, " ") != want {
		t.Errorf("the ZIP holds %q, want %q", names, want)
	}
}

func TestBackgroundsAreAppliedInTheBrowser(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 400, 300))
	p.results(1)
	sent := len(s.requests())
	p.click(`.swatch [value="blur"]`)
	p.wait(`document.querySelector('.backdrop img')?.naturalWidth === 200`) // a small copy, of blocks of two pixels
	p.click(`.swatch [value="white"]`)
	p.wait(`!document.querySelector('.backdrop img')`)
	p.holds(`getComputedStyle(document.querySelector('.backdrop')).backgroundColor === 'rgb(255, 255, 255)'`)
	p.do(chromedp.SetUploadFiles(chromedp.CSS(`.backdrops [type="file"]`), []string{photo(t, "behind.jpg", 90, 200)}))
	p.wait(`document.querySelector('.plate').dataset.backdrop === 'picture' && document.querySelector('.backdrop img')?.complete`)
	p.act(`const colour = document.querySelector('[name="colour"]'); colour.value = '#112233'; colour.dispatchEvent(new Event('input', { bubbles: true }))`)
	p.wait(`getComputedStyle(document.querySelector('.backdrop')).backgroundColor === 'rgb(17, 34, 51)'`)
	p.do(chromedp.SetUploadFiles(chromedp.CSS(`.backdrops [type="file"]`), []string{write(t, "broken.jpg", []byte("no picture"))}))
	p.wait(`document.querySelector('.said').textContent.includes('could not be opened')`)
	p.holds(`document.querySelector('.swatch [value="none"]').checked && document.querySelector('.plate').dataset.backdrop === 'none'`)
	for _, x := range s.requests()[sent:] {
		if x.Method == http.MethodPost {
			t.Error("a background was sent to the server")
		}
	}
}

func TestCopyToTheClipboard(t *testing.T) {
	s, p := startSite(t), open(t, "")
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		callBrowser(p, browser.SetPermission, browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted})
	}
	p.visit(s.url)
	p.pick(photo(t, "a.jpg", 320, 240))
	p.results(1)
	p.act(controls + `tick('crop')`)
	p.wait(`document.querySelector('.size').textContent !== '320 × 240'`)
	p.click(`[data-act="copy"]`)
	p.wait(`document.querySelector('.said').textContent === 'Copied'`)
	width := eval[int](p, `(async () => { const [item] = await navigator.clipboard.read();
		return (await createImageBitmap(await item.getType('image/png'))).width })()`)
	if shown := eval[int](p, `parseInt(document.querySelector('.size').textContent)`); width != shown || width >= 320 {
		t.Errorf("the clipboard holds a picture %d pixels wide, the page shows %d", width, shown)
	}
}
