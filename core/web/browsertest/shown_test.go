package browsertest

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"bgremover.pro/core/cutout"
)

// shown is what the page shows of a result, at the size it has on the page.
func (p *tab) shown() *cutout.Photo {
	p.t.Helper()
	box := eval[page.Viewport](p, `(() => { const { x, y, width, height } = document.querySelector('.plate').getBoundingClientRect();
		return { x: x + scrollX, y: y + scrollY, width, height, scale: 1 } })()`)
	file := call(p, page.CaptureScreenshot, page.CaptureScreenshotParams{Clip: &box, CaptureBeyondViewport: new(true)}).Data
	return read(p.t, write(p.t, "shown.png", file))
}

// apartByBlocks is the greatest difference between the means of blocks of eight
// by eight pixels.
func apartByBlocks(t testing.TB, a, b *cutout.Photo) float64 {
	t.Helper()
	if a.Width != b.Width || a.Height != b.Height {
		t.Fatalf("%dx%d is shown of %dx%d", a.Width, a.Height, b.Width, b.Height)
	}
	most := 0.0
	for top := 0; top+8 <= a.Height; top += 8 {
		for left := 0; left+8 <= a.Width; left += 8 {
			for c := range 3 {
				sum := 0
				for i := range 64 {
					at := 4*((top+i/8)*a.Width+left+i%8) + c
					sum += int(a.Pix[at]) - int(b.Pix[at])
				}
				most = max(most, math.Abs(float64(sum))/64)
			}
		}
	}
	return most
}

// What is shown is what is saved. The view is a WebP at quality 0.88 and the
// browser itself lays the layers over each other, so blocks of pixels, not
// pixels, are compared, by their means.
func TestWhatIsShownIsSaved(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.screen(1280, 1400, "light")
	original := vase(800)
	upload, file := encode(t, original.photo), encode(t, original.cut(t))
	s.line.answers(original.photo.Width, original.photo.Height, file)
	p.visit(s.url)
	p.pick(write(t, "vase.png", upload))
	p.results(1)
	p.wait(`document.querySelector('.after').naturalWidth && document.querySelector('.before').naturalWidth`)
	p.act(controls + `tick('crop'); set('margin', '12'); tick('shadow'); set('strength', '80');
		Object.assign(document.querySelector('.window').style, { justifyContent: 'start', borderRadius: 0 }); document.querySelector('.handle').style.display = 'none'; document.querySelector('.plate').style.width = 'calc(var(--width) * 1px)'`)
	p.wait(`document.querySelector('.cast')`)
	folder, save := p.downloads()
	back := write(t, "behind.png", encode(t, behind()))
	for i, kind := range []string{"white", "gradient", "blur", "picture", "white", "blur"} {
		if i == 4 {
			p.act(controls + `set('frame', '1:1')`)
			p.wait(`document.querySelector('.plate.framed .cast')`)
		}
		if kind == "picture" {
			p.do(chromedp.SetUploadFiles(chromedp.CSS(`.backdrops [type="file"]`), []string{back}))
		} else {
			p.act(controls + `pick('` + kind + `')`)
		}
		if kind == "blur" || kind == "picture" {
			p.wait(`document.querySelector('.plate').dataset.backdrop === '` + kind + `' && document.querySelector('.backdrop img')`)
		}
		// Saving comes after whatever the worker still had to do.
		save(func() { p.click(`[data-act="save"]`) })
		saved := read(t, filepath.Join(folder, "vase-cutout.png"))
		far := apartByBlocks(t, p.shown(), saved)
		t.Logf("%s: %dx%d, blocks within %.1f", kind, saved.Width, saved.Height, far)
		limit := 6.0
		if kind == "picture" {
			limit = 16 // its hard stripes are half a pixel off: it is looked at in a smaller copy too
		}
		if far > limit {
			t.Errorf("%s: what is shown is up to %.1f levels off what is saved", kind, far)
		}
	}
	// The original is cut to the same frame.
	p.click(`[data-view="100"]`)
	saved := read(t, filepath.Join(folder, "vase-cutout.png"))
	shown := p.shown()
	middle := 4 * (saved.Height/2*saved.Width + saved.Width/2)
	for c := range 3 {
		if d := math.Abs(float64(shown.Pix[middle+c]) - float64(saved.Pix[middle+c])); d > 12 {
			t.Errorf("the original lies elsewhere: %v, not %v", shown.Pix[middle:middle+4], saved.Pix[middle:middle+4])
		}
	}
}

// A subject that the photo's lower border cuts off gets no shadow, and the page
// says why.
func TestShadowNeedsGround(t *testing.T) {
	s, p := startSite(t), open(t, "")
	low := vase(400)
	rows := low.photo.Height * 3 / 5
	low.photo.Height, low.photo.Pix = rows, low.photo.Pix[:4*400*rows]
	low.alpha.Height, low.alpha.Pix = rows, low.alpha.Pix[:400*rows]
	upload, file := encode(t, low.photo), encode(t, low.cut(t))
	s.line.answers(low.photo.Width, low.photo.Height, file)
	p.visit(s.url)
	p.pick(write(t, "low.png", upload))
	p.results(1)
	p.act(controls + `tick('shadow')`)
	p.wait(`document.querySelector('.said').textContent.includes('No room for a shadow')`)
	folder, save := p.downloads()
	save(func() { p.click(`[data-act="save"]`) })
	if alpha, _ := apart(t, read(t, filepath.Join(folder, "low-cutout.png")), low.cut(t)); alpha > 0 {
		t.Errorf("a shadow was drawn, up to %.0f levels of alpha", alpha)
	}
	p.click(`.tools [name="shadow"]`)
	p.wait(`document.querySelector('.said').textContent === ''`)
}
