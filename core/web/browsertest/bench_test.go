package browsertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
)

// A 12-megapixel result comes in and is looked at pixel by pixel: how long the
// page's thread is blocked at most, in milliseconds of the clock and of the
// processor, from the choice of the photo on; and the same while 40 small photos
// are queued.
func BenchmarkPageStaysResponsive(b *testing.B) {
	for _, c := range []struct {
		name                 string
		count, width, height int
	}{{"12MP", 1, 4000, 3000}, {"40photos", 40, 800, 600}} {
		b.Run(c.name, func(b *testing.B) {
			s, p := startSite(b), open(b, "")
			large := *s.settings.Load()
			large.MaxUpload = 30 << 20
			s.settings.Store(&large)
			files := photos(b, c.count, c.width, c.height)
			var wall, processor time.Duration
			var bytes float64
			for b.Loop() {
				p.visit(s.url)
				w, c := p.longestTask(func() {
					p.pick(files...)
					p.results(c.count)
					p.kept(c.count)
					p.wait(`document.querySelector('.after').naturalWidth && document.querySelector('.before').naturalWidth`)
					if c.count == 1 {
						p.wait(`!document.querySelector('.zoom').hidden`)
						p.click(`[data-zoom="in"]`)
						p.wait(fmt.Sprintf(`document.querySelector('.after').naturalWidth === %d && document.querySelector('.before').naturalWidth === %[1]d`, c.width))
					}
				})
				wall, processor = max(wall, w), max(processor, c)
				bytes = eval[float64](p, "JSON.parse(localStorage.getItem('gallery'))[0].bytes")
				p.act("localStorage.clear()")
			}
			b.ReportMetric(float64(wall.Milliseconds()), "ms-longest-task")
			b.ReportMetric(float64(processor.Milliseconds()), "cpu-ms-longest-task")
			b.ReportMetric(bytes/(1<<20), "MB-picture")
		})
	}
}

// Strokes over a photo of 12 megapixels: how long painting blocks the page's thread at
// most, and how long the answer to a stroke takes from the lift of the pointer.
func BenchmarkPaintingAt12Megapixels(b *testing.B) {
	s, p := startSite(b), open(b, "")
	large := *s.settings.Load()
	large.MaxUpload = 30 << 20
	s.settings.Store(&large)
	p.screen(1280, 900, "light")
	p.visit(s.url)
	p.pick(photos(b, 1, 4000, 3000)...)
	p.results(1)
	p.kept(1)
	p.correcting()
	p.act(`window.answered = []; let lifted = 0;
		document.querySelector('.easel').addEventListener('pointerup', () => { lifted = performance.now(); });
		new MutationObserver(() => { if (lifted) answered.push(performance.now() - lifted); lifted = 0; }).observe(document.querySelector('.corrector .said'), { childList: true })`)
	count := 0
	var wall, processor time.Duration
	for b.Loop() {
		w, c := p.longestTask(func() {
			for i := range 4 {
				x, y := p.place(0.2+0.1*float64(i), 0.3)
				p.mouse(input.DispatchMouseEventTypeMousePressed, x, y, 1)
				for move := range 20 {
					p.mouse(input.DispatchMouseEventTypeMouseMoved, x+3*float64(move), y+4*float64(move), 1)
				}
				p.mouse(input.DispatchMouseEventTypeMouseReleased, x+60, y+80, 0)
				count++
				p.strokes(count)
			}
		})
		wall, processor = max(wall, w), max(processor, c)
	}
	b.ReportMetric(float64(wall.Milliseconds()), "ms-longest-task")
	b.ReportMetric(float64(processor.Milliseconds()), "cpu-ms-longest-task")
	b.ReportMetric(eval[float64](p, `answered[0]`), "ms-first-answer")
	b.ReportMetric(eval[float64](p, `answered.toSorted((a, b) => a - b)[Math.floor(answered.length / 2)]`), "ms-answer")
}
