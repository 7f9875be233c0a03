package browsertest

import (
	"testing"
	"time"
)

// A 12-megapixel result comes in: how long the page's thread is blocked at most,
// in milliseconds of the clock and of the processor, from the click to the finished card; and the same while 40
// small photos are queued.
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
