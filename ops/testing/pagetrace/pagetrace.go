// Package pagetrace measures, for tests, how long a page in Chromium is blocked.
package pagetrace

import (
	"context"
	"encoding/json"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
)

// event is what interests us of an event in Chromium's trace.
type event struct {
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

// LongestTask traces a browser while act runs and returns the longest task on a
// page's main thread: by the clock, and by the processor's time, which a busy machine
// does not lengthen.
func LongestTask(ctx context.Context, act func()) (wall, processor time.Duration, err error) {
	var events []event
	complete := make(chan struct{})
	listening, stop := context.WithCancel(ctx)
	defer stop()
	err = chromedp.ListenBrowser(listening, func(happened any) {
		switch e := happened.(type) {
		case *tracing.EventDataCollected:
			for _, raw := range e.Value {
				var one event
				if json.Unmarshal(raw, &one) == nil {
					events = append(events, one)
				}
			}
		case *tracing.EventTracingComplete:
			close(complete)
		}
	})
	if err != nil {
		return 0, 0, err
	}
	if _, err := chromedp.CallBrowser(ctx, tracing.Start, tracing.StartParams{
		TransferMode: tracing.StartTransferModeReportEvents,
		TraceConfig:  &tracing.TraceConfig{IncludedCategories: []string{"toplevel", "__metadata"}, ExcludedCategories: []string{"*"}},
	}); err != nil {
		return 0, 0, err
	}
	act()
	if _, err := chromedp.CallBrowser(ctx, tracing.End, cdp.Empty{}); err != nil {
		return 0, 0, err
	}
	select {
	case <-complete:
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
	wall, processor = longest(events)
	return wall, processor, nil
}

func longest(events []event) (wall, processor time.Duration) {
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
