package drill_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// photographer takes pictures of the operator's pages, one page at a time.
type photographer struct {
	dir string
	mu  sync.Mutex
	tab context.Context
}

// newPhotographer starts a browser if DRILL_PICTURES names a folder.
func newPhotographer(t *testing.T) *photographer {
	t.Helper()
	p := &photographer{dir: os.Getenv("DRILL_PICTURES")}
	if p.dir == "" {
		return p
	}
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.ExecPath("chromium"))
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	tab, _ := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(tab)
		stop()
	})
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("chromium (see ops/testing/packages.txt): %v", err)
	}
	if _, err := chromedp.Call(tab, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Authorization": "Bearer " + token}}); err != nil {
		t.Fatal(err)
	}
	p.tab = tab
	return p
}

// take writes NAME.desktop.png and NAME.phone.png: what the first screens show.
func (p *photographer) take(t *testing.T, s *server, name string) {
	t.Helper()
	if p.tab == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, stop := context.WithTimeout(p.tab, 2*time.Minute)
	defer stop()
	for kind, size := range map[string][2]int64{"desktop": {1280, 900}, "phone": {390, 844}} {
		screen := emulation.SetDeviceMetricsOverrideParams{Width: size[0], Height: size[1], DeviceScaleFactor: 1, Mobile: kind == "phone"}
		if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, screen); err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(ctx, chromedp.Navigate("http://"+s.operator+"/")); err != nil {
			t.Fatal(err)
		}
		shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.dir, strings.ReplaceAll(name, " ", "-")+"."+kind+".png"), shot.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
