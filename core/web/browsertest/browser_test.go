package browsertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds every wait for the browser.
const patience = 3 * time.Minute

// tab is one page in a browser of its own. It fails the test for every console
// error, uncaught exception and breach of the content security policy that the
// test did not say it expects.
type tab struct {
	t   testing.TB
	ctx context.Context
	// asked counts the questions whether to leave the page.
	asked atomic.Int32

	mu       sync.Mutex
	problems []string
	expected []*regexp.Regexp
}

// plainHost is a name that browsers do not trust over plain HTTP, unlike
// 127.0.0.1; it leads to this machine.
const plainHost = "lan.example"

// open starts Chromium with a fresh profile. preferences, where not empty, is
// the JSON of the profile's settings.
func open(t testing.TB, preferences string) *tab {
	t.Helper()
	profile := t.TempDir()
	if preferences != "" {
		folder := filepath.Join(profile, "Default")
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "Preferences"), []byte(preferences), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP "+plainHost+" 127.0.0.1"),
	)
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	p := &tab{t: t, ctx: ctx}
	t.Cleanup(func() {
		cancel()
		stopAllocator()
	})
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatalf("Chromium does not start (apt-get install chromium): %v", err)
	}
	call(p, log.Enable, cdp.Empty{})
	t.Cleanup(p.check)
	return p
}

func (p *tab) listen(event any) {
	switch e := event.(type) {
	case *page.EventJavascriptDialogOpening:
		// The page asks before results that were not kept are left behind.
		p.asked.Add(1)
		go func() {
			_, _ = chromedp.Call(p.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}()
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			p.note(e.Entry.Text + " " + e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			var words []string
			for _, a := range e.Args {
				words = append(words, string(a.Value), a.Description)
			}
			p.note(strings.Join(words, " "))
		}
	case *runtime.EventExceptionThrown:
		p.note(e.ExceptionDetails.Text)
		if e.ExceptionDetails.Exception != nil {
			p.note(e.ExceptionDetails.Exception.Description)
		}
	}
}

func (p *tab) note(problem string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, problem)
}

// expect says which console errors belong to the test, such as the browser's
// own line for an answer with an error status.
func (p *tab) expect(patterns ...string) {
	for _, pattern := range patterns {
		p.expected = append(p.expected, regexp.MustCompile(pattern))
	}
}

func (p *tab) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.problems {
		known := false
		for _, pattern := range p.expected {
			known = known || pattern.MatchString(problem)
		}
		if !known {
			p.t.Errorf("console: %s", problem)
		}
	}
}

func (p *tab) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.ctx, patience)
}

// do runs steps, or ends the test.
func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) visit(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url))
}

// eval evaluates an expression, awaiting a promise, as a visitor's gesture.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise, func(e *runtime.EvaluateParams) {
		e.UserGesture = new(true)
	}))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// act evaluates for the effect.
func (p *tab) act(statements string) {
	p.t.Helper()
	eval[bool](p, "(async () => {"+statements+"; return true})()")
}

// wait waits until an expression holds, over navigations too.
func (p *tab) wait(expression string) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ctx, cancel := context.WithDeadline(p.ctx, deadline)
		_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void]("!!("+expression+")", chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(patience)))
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) || p.ctx.Err() != nil {
			p.t.Fatalf("never true: %s (%v)\n%s", expression, err, p.text())
		}
	}
}

func (p *tab) text() string {
	return eval[string](p, "document.body?.innerText ?? ''")
}

// holds fails the test unless an expression is true now.
func (p *tab) holds(expression string) {
	p.t.Helper()
	if !eval[bool](p, "!!("+expression+")") {
		p.t.Errorf("not true: %s", expression)
	}
}

// click clicks as a visitor does, in the middle of what a selector finds.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.do(chromedp.ScrollIntoView(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)))
}

func (p *tab) pick(files ...string) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#image"), files))
}

// results waits until so many photos are done.
func (p *tab) results(count int) {
	p.t.Helper()
	p.wait(fmt.Sprintf("document.querySelectorAll('.card[data-state=done]').length === %d", count))
	if count == 1 {
		p.wait("document.getElementById('stage').checkVisibility()")
	}
}

// look opens one of several photos, counted from 1, in the focus view.
func (p *tab) look(number int) {
	p.t.Helper()
	p.click(fmt.Sprintf(".card:nth-child(%d) .open", number))
	p.wait(fmt.Sprintf("document.querySelector('.card:nth-child(%d) [aria-current]') && document.getElementById('stage').checkVisibility()", number))
}

// screen sets the window's size and the preferred colours.
func (p *tab) screen(width, height int64, scheme string) {
	p.t.Helper()
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600})
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// picture is a screenshot of the whole page.
func (p *tab) picture() []byte {
	p.t.Helper()
	return call(p, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: new(true)}).Data
}

func (p *tab) forceColours() {
	p.t.Helper()
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}}})
}

// touch makes the window that of a phone.
func (p *tab) touch() {
	p.t.Helper()
	p.screen(390, 844, "light")
	call(p, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true})
}
