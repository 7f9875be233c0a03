package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/admin"
	"bgremover.pro/core/ratelimit"
)

// patience bounds every wait for the browser.
const patience = 3 * time.Minute

// tab is a real Chromium that records every error: script errors, refused
// loads, breaches of the content security policy.
type tab struct {
	context.Context
	t          *testing.T
	mu         sync.Mutex
	complaints []string
}

func openTab(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.ExecPath("chromium"), chromedp.WindowSize(1280, 1000), chromedp.WSURLReadTimeout(patience))
	allocator, stopAllocator := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	b := &tab{t: t}
	ctx, stop := chromedp.NewContext(allocator, chromedp.WithListener(b.listen))
	if err := chromedp.Do(ctx); err != nil { // starts it; a deadline here would be the browser's
		t.Fatalf("chromium (see ops/testing/packages.txt): %v", err)
	}
	limited, stopTimer := context.WithTimeout(ctx, 10*time.Minute)
	b.Context = limited
	t.Cleanup(func() {
		stopTimer()
		if err := chromedp.Cancel(ctx); err != nil {
			t.Error(err)
		}
		stop()
		stopAllocator()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range b.complaints {
			t.Error("the browser reports:", c)
		}
	})
	call(b, log.Enable, cdp.Empty{})
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		// A refusal that a test causes is not an error.
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "422") && !strings.Contains(e.Entry.Text, "503") {
			b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.Context, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func get[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	v, err := chromedp.Run(b.Context, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func call[P, R any](b *tab, command cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.Context, command, params); err != nil {
		b.t.Fatal(err)
	}
}

func click(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

func fill(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.SetValue(chromedp.CSS(selector), text)
}

// says waits until an element holds a text.
func (b *tab) says(selector, text string) {
	b.t.Helper()
	expression := `(document.querySelector(` + quote(selector) + `)?.textContent ?? "").includes(` + quote(text) + `)`
	if _, err := chromedp.Run(b.Context, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(patience))); err != nil {
		b.t.Fatalf("%s never says %q: %v", selector, text, err)
	}
}

// holds waits until an expression is true.
func (b *tab) holds(expression string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.Context, chromedp.Poll[bool]("!!("+expression+")", chromedp.WithPollingTimeout(patience))); err != nil {
		b.t.Fatalf("never true: %s: %v", expression, err)
	}
}

func quote(s string) string { return "`" + s + "`" }

// screenshot keeps a picture for inspection, where
// BGREMOVER_TEST_SCREENSHOTS names a folder.
func (b *tab) screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("BGREMOVER_TEST_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture := get(b, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func TestOperatorAtWork(t *testing.T) {
	o := start(t, admin.Access{}, "BGREMOVER_LIMITS_NETWORK=600/1h")
	busy(o)
	o.server.FillHistory()
	key := ratelimit.Key{Device: "abcdefgh", Addr: netip.MustParseAddr("192.0.2.1")}
	b := openTab(t)
	b.do(chromedp.Navigate(o.base + "/"))
	b.says("#status", "ready")
	if drawn := get(b, chromedp.Evaluate[float64](`Math.min(...[...document.querySelectorAll("path.line")].map(p => p.getTotalLength()))`)); drawn < 300 {
		t.Errorf("a curve is %v long", drawn)
	}
	b.screenshot("operator")

	b.do(click("#use-other"))
	b.says("#backends .message", "Switched to other")
	b.says("#backends tr:nth-child(4)", "serving")
	failsToSwitch(b, o)

	triesAndInstalls(b, o)
	readsCharts(b)

	b.do(fill("#limits_device", "100/1h"), click("[name=persist]"), click("#apply-limits"))
	b.says("#limits .message", "saved in the settings file")
	if content, err := os.ReadFile(o.file); err != nil || !strings.Contains(string(content), `limits_device = "100/1h"`) {
		t.Errorf("%q, %v", content, err)
	}
	b.do(fill("#limits_device", "many"), click("#apply-limits"))
	b.says("#limits [role=alert]", "expected a rate such as 60/1h")
	if !get(b, chromedp.Evaluate[bool](`document.querySelector("#limits_network").disabled`)) {
		t.Error("a setting of the environment can be edited")
	}

	previewsAndReverts(b, o)
	b.do(click("#block-abcdefgh"))
	b.says("#devices", "abcdefgh is blocked")
	if o.limiter.Charge(t.Context(), key, 1).Allowed {
		t.Error("the device is not blocked")
	}
	b.do(click("#block-abcdefgh"))
	b.says("#devices", "is unblocked")
	b.screenshot("operator-after")

	filtersTheConfiguration(b, o)
	// The page refreshes its parts by itself.
	o.backends.mu.Lock()
	o.backends.active = "onnx-cpu"
	o.backends.mu.Unlock()
	b.says("#status", "onnx-cpu on cpu")
}

// failsToSwitch: while a backend is started in vain, the page shows that, and that the
// old one serves; then why it failed, until that is dismissed. Nothing says that the
// server is not ready.
func failsToSwitch(b *tab, o *operator) {
	b.t.Helper()
	refreshed := func() { // the page, by itself, twice
		b.t.Helper()
		b.do(chromedp.Evaluate[chromedp.Void](`for (const id of ["backends", "status"]) document.getElementById(id).dataset.old = "yes"`))
		for _, id := range []string{"backends", "status"} {
			if _, err := chromedp.Run(b.Context, chromedp.Poll[bool](`!document.getElementById("`+id+`").dataset.old`, chromedp.WithPollingTimeout(patience))); err != nil {
				b.t.Fatalf("%s is not refreshed: %v", id, err)
			}
		}
		if bad := get(b, chromedp.Evaluate[string](`document.querySelector("#status .failed")?.textContent ?? ""`)); bad != "" {
			b.t.Errorf("a false alarm: %q", bad)
		}
	}
	o.backends.gate = make(chan struct{})
	b.do(click("#use-onnx-cuda"))
	b.says("#backends [role=status]", "Switching to onnx-cuda. Still serving: other.")
	if !get(b, chromedp.Evaluate[bool](`[...document.querySelectorAll("#backends [id^=use-]")].every(b => b.disabled)`)) {
		b.t.Error("another switch can be started meanwhile")
	}
	refreshed()
	b.says("#backends [role=status]", "Switching to onnx-cuda")
	b.screenshot("operator-backend-switching")
	close(o.backends.gate)
	const failure = "onnx-cuda did not start: no CUDA device is there. Still serving: other."
	b.says("#backends [role=alert]", failure)
	refreshed()
	b.says("#backends [role=alert]", failure)
	b.do(chromedp.Navigate(o.base + "/"))
	b.says("#backends [role=alert]", failure)
	b.screenshot("operator-backend-fails")
	b.do(click("#dismiss"))
	refreshed()
	if get(b, chromedp.Evaluate[bool](`!!document.querySelector("#backends .notice")`)) {
		b.t.Error("the message is still there")
	}
}

// previewsAndReverts: what is typed is marked and previewed at once, what was changed here
// goes back to the file's value.
func previewsAndReverts(b *tab, o *operator) {
	b.t.Helper()
	typed := func(selector, text string) {
		b.do(chromedp.Evaluate[chromedp.Void](`{
			const field = document.querySelector("` + selector + `");
			field.value = "` + text + `";
			field.dispatchEvent(new Event("input", {bubbles: true}));
		}`))
	}
	b.do(chromedp.Navigate(o.base + "/"))
	typed("#limits_device", "10/1h")
	b.holds(`document.querySelectorAll("#limits-form .changed").length === 1`)
	b.says("#preview", "It would now refuse 1 of 1 recent senders: abcdefgh.")
	typed("#limits_device", "100/1h")
	b.holds(`document.querySelectorAll("#limits-form .changed").length === 0`)
	b.says("#preview", "It would refuse none of 1")
	typed("[name=limits_overrides_who]", "198.51.100.0/24")
	typed("[name=limits_overrides_rate]", "block")
	typed("#preview-address", "198.51.100.7")
	b.do(click("#preview-limits"))
	b.says("#preview", "198.51.100.7 would be blocked.")
	b.do(click("#apply-limits"))
	b.says("#limits .message", "until the next start")
	b.holds(`document.querySelectorAll("[name=limits_overrides_who]").length === 2`)
	b.screenshot("operator-limits")
	b.do(click("#revert-limits_overrides"))
	b.says("#limits .message", "limits_overrides is back to the settings file's value.")
	b.holds(`document.querySelectorAll("[name=limits_overrides_who]").length === 1 && !document.querySelector("[id^=revert]")`)
}

// filtersTheConfiguration: a reload is reported in words and marks what waits for a restart;
// only what is not the default is shown, unless the filter finds more.
func filtersTheConfiguration(b *tab, o *operator) {
	b.t.Helper()
	o.write("threads = 3\n" + other)
	b.do(click("#reload"))
	b.says("#config", "Reloaded")
	b.says("#config .tag.failed", "1 wait for a restart")
	const visible = `[...document.querySelectorAll(".settings tr")].filter(r => r.checkVisibility()).map(r => r.querySelector("th").textContent).join(" ")`
	b.holds(visible + ` === "Key Photos and models backend threads Limits limits_network"`)
	b.screenshot("operator-config")
	b.do(click("#config-changed"))
	b.holds(`document.querySelectorAll(".settings tr:not(.group)").length > 60 && [...document.querySelectorAll(".settings tr")].every(r => r.checkVisibility())`)
	b.do(click("#config-changed"), chromedp.SendKeys(chromedp.CSS("#config-filter"), "redis"))
	b.holds(visible + `.startsWith("Key Site and server device_secret Limits redis_url")`)
}

// readsCharts: values are read at the pointer and with the keyboard, also after the page
// has refreshed the charts; a day and a week can be chosen.
func readsCharts(b *tab) {
	b.t.Helper()
	const reading = `#plot-1 ~ .reading`
	b.do(chromedp.Evaluate[chromedp.Void](`{
		const box = document.getElementById("plot-1").getBoundingClientRect();
		document.getElementById("plot-1").dispatchEvent(new PointerEvent("pointermove", {bubbles: true, clientX: box.left + box.width / 4, clientY: box.top + 9}));
	}`))
	b.says(reading, " UTC: p50 ")
	b.holds(`/^\d\d:\d\d:\d\d UTC: p50 \d+ ms, p95 [\d.]+ m?s, p99 2.5 s$/.test(document.querySelector("` + reading + `").textContent)`)
	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("plot-0").dispatchEvent(new PointerEvent("pointermove", {bubbles: true}));
		document.body.dispatchEvent(new PointerEvent("pointermove", {bubbles: true}))`))
	b.holds(`document.querySelector("` + reading + `").textContent === "UTC"`)
	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("plot-4").focus()`), chromedp.KeyEvent(kb.End), chromedp.KeyEvent(kb.ArrowLeft))
	at := `document.querySelector("#plot-4 ~ .reading").textContent`
	b.holds(`/server [\d.]+ MB, backends [\d.]+ MB/.test(` + at + `)`)
	b.do(click("#span-day"))
	b.says("#charts-title", "The last day")
	b.says("#charts [aria-current]", "day")
	b.do(click("#table-1 summary"))
	b.holds(`document.querySelectorAll("#table-1 tbody tr").length === 12`)
	b.screenshot("operator-charts")
	b.do(click("#span-week"))
	b.says("#charts-title", "The last week")
	b.holds(`document.getElementById("table-1").open`)
}

// triesAndInstalls: a test photo is shown with its figures, a check with its output, and
// models are installed, made the default and removed, in a list that stays open.
func triesAndInstalls(b *tab, o *operator) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("try-model").value = "portrait"`), click("#run-trial"))
	b.says("#trial", "portrait, mode auto, at 512, 1024 pixels")
	b.says("#trial", "321 ms")
	b.holds(`document.querySelector("#trial img").naturalWidth === 1`)
	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("try-backend").value = "onnx-cuda"`), click("#run-trial"))
	b.says("#trial [role=alert]", "no CUDA device is there")

	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("try-backend").value = "other"`), click("#run-check"))
	b.says("#check [role=alert]", "does not implement")
	b.says("#check pre", "FAILED describes itself")
	b.do(click("#check-dismiss"))
	b.holds(`!document.querySelector("#check pre")`)

	o.workshop.gate = make(chan struct{})
	b.do(click("#models-missing summary"), click("[aria-label='Install u2net']"))
	b.says("#models [role=status]", "42 MB of 168 MB")
	b.holds(`document.querySelector("#models progress").value === 42 << 20`)
	b.screenshot("operator-install")
	close(o.workshop.gate)
	b.says("#models [role=status]", "u2net is installed.")
	b.holds(`document.getElementById("models-missing").open`)
	for _, step := range [][2]string{{"Make u2net the default", "u2net cannot be loaded. (its graph is broken)"}, {"Make portrait the default", "portrait is the default until the next start"},
		{"Derive faster graphs from u2net", "u2net: fp16 at 512."}, {"Remove u2net", "u2net is removed."}} {
		b.do(chromedp.Evaluate[chromedp.Void](`window.confirm = () => true; document.querySelector("[aria-label='` + step[0] + `']").click()`))
		b.says("#models .notice", step[1])
	}
	b.says("#models-installed tr:nth-child(3) .tag", "default")
}

func TestOperatorWithoutScripts(t *testing.T) {
	o := start(t, admin.Access{})
	busy(o)
	b := openTab(t)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.do(chromedp.Navigate(o.base + "/"))
	// A click that leads to another page returns before it is there.
	follow := func(selector string) {
		t.Helper()
		if _, err := chromedp.RunResponse(b.Context, click(selector)); err != nil {
			t.Fatal(err)
		}
	}
	follow("#use-onnx-cuda")
	b.says("#backends [role=alert]", "onnx-cuda did not start: no CUDA device is there. Still serving: onnx-cpu.")
	follow("#dismiss")
	follow("#use-other")
	if got := o.live.Current().Inference.Backend; got != "other" {
		t.Errorf("backend = %s", got)
	}
	b.do(click("#limits-more > summary"), fill("#limits_device", "100/1h"))
	follow("#apply-limits")
	if got := o.live.Current().Limits.Device.Count; got != 100 {
		t.Errorf("limit = %d", got)
	}
	b.do(click("#limits-more > summary"), fill("#limits_device", "many"))
	follow("#apply-limits")
	if text := get(b, chromedp.Text(chromedp.CSS("#limits [role=alert]"))); !strings.Contains(text, "expected") {
		t.Errorf("the page says %q", text)
	}
}

func TestOperatorOnASmallScreen(t *testing.T) {
	o := start(t, admin.Access{})
	busy(o)
	o.server.FillHistory()
	b := openTab(t)
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	b.do(chromedp.EmulateViewport(320, 640), chromedp.Navigate(o.base+"/"))
	if width := get(b, chromedp.Evaluate[float64](`document.documentElement.scrollWidth`)); width > 320 {
		t.Errorf("the page is %v px wide on a screen of 320: %s", width, get(b, chromedp.Evaluate[string](
			`[...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll") && e.getBoundingClientRect().right > 320).map(e => e.tagName + "." + e.className).join(" ")`)))
	}
	b.screenshot("operator-small")
	// On a phone, alarms and switches are within the first screen.
	for i := range 25 {
		o.server.Failed(accesslog.Request{ID: fmt.Sprint("request-", i), Route: "/api/v1/cutouts", Status: 503, Code: "backend_unavailable", Err: errors.New(strings.Repeat("it exited with status 3 ", 5))})
	}
	b.do(chromedp.EmulateViewport(390, 844), chromedp.Navigate(o.base+"/"))
	if height := get(b, chromedp.Evaluate[float64](`document.documentElement.scrollHeight`)); height > 2500 {
		t.Errorf("the page is %v px long", height)
	}
	if y := get(b, chromedp.Evaluate[float64](`document.getElementById("backends").getBoundingClientRect().top`)); y > 700 {
		t.Errorf("the backends begin at %v px", y)
	}
	b.screenshot("operator-phone")
}
