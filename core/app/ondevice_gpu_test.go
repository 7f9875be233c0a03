package app

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// On a graphics processor the model's layers give the CPU's bytes; where it fails or
// differs, the CPU serves, and one that software imitates is not used. Chromium has such
// a one, SwiftShader, which is too slow for the whole model.
func TestOnDeviceGPU(t *testing.T) {
	s := serve(t)
	s.offered(t)
	r := newRoad(t, s.URL)
	r.set(nil, func(q *http.Request, answer *http.Response) {
		if !strings.HasPrefix(q.URL.Path, "/jstest/") {
			return
		}
		module, err := os.ReadFile(filepath.Join("../../static/jstest", path.Base(q.URL.Path)))
		if err != nil {
			t.Error(err)
		}
		answer.StatusCode, answer.ContentLength, answer.Body = http.StatusOK, int64(len(module)), io.NopCloser(bytes.NewReader(module))
		answer.Header.Set("Content-Type", "text/javascript")
		answer.Header.Del("Content-Length")
		answer.Header.Del("Content-Encoding")
	})
	b := chromiumFor(t, 5*time.Minute, chromedp.Flag("disable-gpu", false),
		chromedp.Flag("enable-unsafe-webgpu", true), chromedp.Flag("use-webgpu-adapter", "swiftshader"), chromedp.Flag("enable-features", "Vulkan")).leaves()
	b.open(r.URL)
	got := evaluate[struct {
		Adapter, Software, Packed bool
		Bytes, Unlike, Levels     int
		Served                    string
	}](b, `(async () => (await import('/jstest/gpu.js')).compare(document.querySelector('script[type=module]').src.replace(/[^/]*$/, '')))()`)
	if !got.Adapter {
		t.Skip("this Chromium has no graphics processor for WebGPU, and imitates none")
	}
	t.Logf("%+v", got)
	if got.Bytes == 0 || got.Unlike*1000 > got.Bytes || got.Levels > 2 {
		t.Error("the processors' masks differ")
	}
	if got.Served != "CPU,CPU,CPU,GPU,CPU" {
		t.Error("a photo and the next, where the processors differ; a photo, the next and one after the GPU's loss, where they agree")
	}

	// In the worker, with the whole model.
	if !got.Software {
		t.Error("SwiftShader counts as a graphics processor")
	}
	b.open(r.URL) // the page's clock was changed
	b.choose("device")
	for range 2 {
		b.comesOut(t, "testdata/photos/coffee.jpg")
	}
	if asked := r.matching("/device/gpu.js"); asked == nil {
		t.Error("the worker does not look for a graphics processor")
	}
}
