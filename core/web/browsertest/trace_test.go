package browsertest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
)

// traceEvent is what interests us of an event in Chromium's trace.
type traceEvent struct {
	Name     string `json:"name"`
	Phase    string `json:"ph"`
	Process  int    `json:"pid"`
	Thread   int    `json:"tid"`
	Wall     int64  `json:"dur"`  // microseconds
	OnThread int64  `json:"tdur"` // microseconds of the processor
	Args     struct {
		Name string `json:"name"`
	} `json:"args"`
}

// longestTask traces while act runs and answers the longest task on a page's
// main thread: by the clock, and by the processor's time, which a busy machine
// does not lengthen.
func (p *tab) longestTask(act func()) (wall, processor time.Duration) {
	p.t.Helper()
	var events []traceEvent
	complete := make(chan struct{})
	ctx, stop := context.WithCancel(p.ctx)
	defer stop()
	if err := chromedp.ListenBrowser(ctx, func(event any) {
		switch e := event.(type) {
		case *tracing.EventDataCollected:
			for _, raw := range e.Value {
				var event traceEvent
				if json.Unmarshal(raw, &event) == nil {
					events = append(events, event)
				}
			}
		case *tracing.EventTracingComplete:
			close(complete)
		}
	}); err != nil {
		p.t.Fatal(err)
	}
	callBrowser(p, tracing.Start, tracing.StartParams{
		TransferMode: tracing.StartTransferModeReportEvents,
		TraceConfig:  &tracing.TraceConfig{IncludedCategories: []string{"toplevel", "__metadata"}, ExcludedCategories: []string{"*"}},
	})
	act()
	callBrowser(p, tracing.End, cdp.Empty{})
	<-complete
	type thread struct{ process, thread int }
	pages := map[thread]bool{}
	for _, e := range events {
		if e.Phase == "M" && e.Name == "thread_name" && e.Args.Name == "CrRendererMain" {
			pages[thread{e.Process, e.Thread}] = true
		}
	}
	for _, e := range events {
		if pages[thread{e.Process, e.Thread}] {
			wall = max(wall, time.Duration(e.Wall)*time.Microsecond)
			processor = max(processor, time.Duration(e.OnThread)*time.Microsecond)
		}
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
