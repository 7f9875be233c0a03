package app

import (
	"context"
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// The main job as a visitor does it: a real Chromium, the real page, the real
// model. What the page does in every other state is core/web/browsertest's.
func TestPhotoInTheBrowser(t *testing.T) {
	p := start(t, t.TempDir())
	picture, err := filepath.Abs("testdata/photos/astronaut.jpg")
	if err != nil {
		t.Fatal(err)
	}
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			b := chromium(t)
			if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts}); err != nil {
				t.Fatal(err)
			}
			b.do(chromedp.Navigate(p.visitors + "/"))
			b.do(chromedp.SetUploadFiles("#image", []string{picture}))
			if !scripts {
				b.do(chromedp.Click("#intake button:not([name])"))
			}
			b.do(chromedp.WaitVisible(result))
			compare(t, alphaOf(t, b.download()), "astronaut")
		})
	}
}

// result is the finished picture, on either page; with scripts it is a moment
// after the card that it comes.
const result = ".viewer img.after[src]"

// browser is a tab of a Chromium with a fresh profile.
type browser struct {
	t   *testing.T
	ctx context.Context // chromedp's handle of the tab
}

func chromium(t *testing.T) *browser {
	t.Helper()
	return chromiumFor(t, 5*time.Minute)
}

// chromiumFor is chromium for a test that takes up to so long.
func chromiumFor(t *testing.T, longest time.Duration, more ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(startLimit), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if _, err := chromedp.Run(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("Chromium does not start (apt-get install chromium): %v", err)
	}
	ctx, cancel = context.WithTimeout(ctx, longest)
	t.Cleanup(cancel)
	return &browser{t, ctx}
}

func (b *browser) do(action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, action); err != nil {
		b.t.Fatal(err)
	}
}

// download returns the picture that the answer itself brought: a data: or
// blob: address. A blob is drawn to be read, as the page's policy lets nobody
// fetch it.
func (b *browser) download() []byte {
	b.t.Helper()
	data, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`(async () => {
		const img = document.querySelector("`+result+`");
		if (img.src.startsWith("data:")) return img.src;
		await img.decode();
		const canvas = document.createElement("canvas");
		canvas.width = img.naturalWidth;
		canvas.height = img.naturalHeight;
		canvas.getContext("2d").drawImage(img, 0, 0);
		return canvas.toDataURL();
	})()`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	_, encoded, found := strings.Cut(data, ";base64,")
	if !found {
		b.t.Fatalf("the picture is %.60q", data)
	}
	file, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		b.t.Fatal(err)
	}
	return file
}
