package browsertest

import (
	"fmt"
	"testing"
	"time"
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
