package browsertest

import (
	"testing"
	"time"

	"bgremover.pro/ops/testing/pagetrace"
)

// longestTask is pagetrace.LongestTask.
func (p *tab) longestTask(act func()) (wall, processor time.Duration) {
	p.t.Helper()
	wall, processor, err := pagetrace.LongestTask(p.ctx, act)
	if err != nil {
		p.t.Fatal(err)
	}
	return wall, processor
}

// The clock runs in the page, so a busy machine makes no difference.
func TestTraceShowsWhatBlocksThePage(t *testing.T) {
	s, p := startSite(t), open(t, "")
	p.visit(s.url)
	p.wait("document.documentElement.classList.contains('ready')")
	wall, _ := p.longestTask(func() {
		p.act(`await new Promise((done) => setTimeout(() => {
			const end = performance.now() + 300;
			while (performance.now() < end);
			setTimeout(done); // once the task has ended
		}))`)
	})
	if wall < 300*time.Millisecond {
		t.Errorf("a task of 300 ms is seen as one of %v", wall)
	}
}
