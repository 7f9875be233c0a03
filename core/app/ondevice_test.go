package app

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/model"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/core/web"
	"bgremover.pro/ops/testing/pagetrace"
)

// offered waits until the server offers visitors to process photos themselves.
func (s *server) offered(t testing.TB) *web.OnDevice {
	t.Helper()
	deadline := time.After(2 * time.Minute) // the first time, the files are compressed
	for {
		if offer := s.settings.Load().OnDevice; offer != nil {
			return offer
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Fatal("nothing is offered to devices (run: make setup)")
		}
	}
}

// road is the way between a browser and a server. It counts what is asked, and may
// be cut or damage what passes.
type road struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string                                     // method, path and range of each request
	spoil func(r *http.Request, answer *http.Response) // may be nil
	block func(r *http.Request) bool                   // requests that get no answer
}

func newRoad(t *testing.T, to string) *road {
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	r := &road{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host // pages know this address
		},
		ModifyResponse: func(answer *http.Response) error {
			r.mu.Lock()
			spoil := r.spoil
			r.mu.Unlock()
			if spoil != nil {
				spoil(answer.Request, answer)
			}
			return nil
		},
		ErrorLog: nil,
	}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		r.asked = append(r.asked, strings.TrimSpace(q.Method+" "+q.URL.Path+" "+q.Header.Get("Range")))
		blocked := r.block != nil && r.block(q)
		r.mu.Unlock()
		if blocked {
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, q)
	}))
	r.Config.ErrorLog = nil
	t.Cleanup(r.Close)
	return r
}

// set changes what the road does, and forgets what was asked.
func (r *road) set(block func(*http.Request) bool, spoil func(*http.Request, *http.Response)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.block, r.spoil, r.asked = block, spoil, nil
}

// matching returns the requests that hold a text.
func (r *road) matching(text string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []string
	for _, line := range r.asked {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// cut ends a body after so many bytes, as a lost connection does.
type cut struct {
	io.ReadCloser
	left int64
}

func (c *cut) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.ReadCloser.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// damaged changes one byte of a body.
type damaged struct {
	io.ReadCloser
	done bool
}

func (d *damaged) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if n > 0 && !d.done {
		p[n/2] ^= 0xff
		d.done = true
	}
	return n, err
}

func evaluate[T any](b *browser, script string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.300s: %v", script, err)
	}
	return value
}

// open visits the start page and waits until its scripts are ready. Photos are taken
// off the page before: it would ask whether to leave them.
func (b *browser) open(address string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('.card .remove').forEach((button) => button.click())`))
	b.do(chromedp.Navigate(address + "/"))
	b.await(`dispatchEvent(new Event('pointermove')) && document.querySelector('#where:not([hidden])')`)
}

// leaves answers yes when the page asks whether to leave a result that is not kept
// yet.
func (b *browser) leaves() *browser {
	b.t.Helper()
	if err := chromedp.Listen(b.ctx, func(event any) {
		if _, asked := event.(*page.EventJavascriptDialogOpening); asked {
			go func() {
				_, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
			}()
		}
	}); err != nil {
		b.t.Fatal(err)
	}
	return b
}

// choose says where photos are processed.
func (b *browser) choose(where string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector('#where [value=%s]').click()`, where)))
}

// mode chooses how thoroughly.
func (b *browser) mode(mode string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector('[name=mode][value=%s]').click()`, mode)))
}

// kept returns the newest result in the gallery, when that many photos are done.
func (b *browser) kept(count int) []byte {
	b.t.Helper()
	b.cutOut(count)
	text := evaluate[string](b, fmt.Sprintf(`(async () => {
		const cache = await caches.open('gallery');
		let files = [];
		while (files.length < %d) {
			files = (await cache.keys()).filter(({ url }) => new URL(url).pathname.length === '/gallery/'.length + 36);
			await new Promise((next) => setTimeout(next, 50));
		}
		const reader = new FileReader();
		reader.readAsDataURL(await (await cache.match(files.at(-1))).blob());
		await new Promise((next) => { reader.onload = next; });
		return reader.result.split(',')[1];
	})()`, count))
	file, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		b.t.Fatal(err)
	}
	return file
}

// tab opens another tab of the same browser.
func (b *browser) tab() *browser {
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	return (&browser{b.t, ctx}).leaves()
}

func (b *browser) pick(names ...string) {
	b.t.Helper()
	var paths []string
	for _, name := range names {
		path, err := filepath.Abs(name)
		if err != nil {
			b.t.Fatal(err)
		}
		paths = append(paths, path)
	}
	b.do(chromedp.SetUploadFiles("#image", paths))
}

// unlike compares two cut-outs: the IoU of what they keep, and the mean difference
// of colours where both are opaque.
func unlike(t *testing.T, a, b []byte) (iou, colours float64) {
	t.Helper()
	x, y := pixelsOf(t, a), pixelsOf(t, b)
	if x.Bounds() != y.Bounds() {
		t.Fatalf("%v and %v", x.Bounds(), y.Bounds())
	}
	both, either, samples, sum := 0, 0, 0, 0
	for i := 0; i < len(x.Pix); i += 4 {
		p, q := x.Pix[i:i+4], y.Pix[i:i+4]
		if p[3] >= 128 || q[3] >= 128 {
			either++
		}
		if p[3] >= 128 && q[3] >= 128 {
			both++
		}
		for c := range 3 {
			if p[3] == 255 && q[3] == 255 {
				sum += max(int(p[c])-int(q[c]), int(q[c])-int(p[c]))
				samples++
			}
		}
	}
	if either == 0 {
		return 1, 0
	}
	return float64(both) / float64(either), float64(sum) / float64(max(1, samples))
}

func pixelsOf(t *testing.T, file []byte) *image.NRGBA {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	n, ok := img.(*image.NRGBA)
	if !ok {
		n = image.NewNRGBA(img.Bounds())
		draw.Draw(n, n.Bounds(), img, img.Bounds().Min, draw.Src)
	}
	return n
}

// The whole way of a visitor who keeps photos on the device: the download breaks off
// and is damaged, a file is no photo, two tabs work at once, the network is gone, the
// storage is full. No photo is ever sent.
func TestOnDevice(t *testing.T) {
	s := serve(t)
	s.offered(t)
	r := newRoad(t, s.URL)
	b := chromiumFor(t, 20*time.Minute).leaves()
	graph := 0
	r.set(nil, func(q *http.Request, answer *http.Response) {
		if !strings.HasSuffix(q.URL.Path, ".onnx") {
			return
		}
		switch graph++; graph {
		case 1:
			answer.Body = &cut{answer.Body, 12 << 20}
		case 2:
			answer.Body = &damaged{ReadCloser: answer.Body}
		}
	})
	half := filepath.Join(t.TempDir(), "half.jpg")
	upload := photo(t, "astronaut.jpg")
	if err := os.WriteFile(half, upload[:len(upload)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(t.TempDir(), "large.jpg")
	if err := os.WriteFile(large, enlarged(t, upload, 7), 0o600); err != nil {
		t.Fatal(err)
	}

	b.open(r.URL)
	if !b.shows("crossOriginIsolated") {
		t.Error("the page may compute on one thread only")
	}
	b.choose("device")
	b.pick(half)
	_, refusal := s.engine.Pipeline.Remove(t.Context(), cutout.Job{Upload: upload[:len(upload)/2]})
	if words := b.await(`document.querySelector('.problem .words')?.innerText`); !strings.Contains(words, cutout.MessageOf(refusal)) {
		t.Errorf("half a photo: %q, and the server says %q", words, cutout.MessageOf(refusal))
	}
	requests := r.matching(".onnx")
	if len(requests) != 3 || !strings.Contains(requests[1], "bytes=") || strings.Contains(requests[2], "bytes=") {
		t.Errorf("broken off, resumed but damaged, fetched again: %q", requests)
	}

	// In the mode that takes every size: their graphs are made from the one fetched.
	b.open(r.URL)
	b.mode("best")
	b.pick("testdata/photos/astronaut.jpg")
	got := b.kept(1)
	compare(t, alphaOf(t, got), "astronaut")
	want, err := s.engine.Pipeline.Remove(t.Context(), cutout.Job{Upload: upload, Options: cutout.Options{Mode: cutout.Best}})
	if err != nil {
		t.Fatal(err)
	}
	if iou, colours := unlike(t, got, want.File); iou < 0.995 || colours > 2 {
		t.Errorf("the device and the server differ: IoU %.4f, colours %.2f", iou, colours)
	}
	b.await("navigator.serviceWorker.controller")

	// Without a network, in two tabs at once.
	r.set(func(*http.Request) bool { return true }, nil)
	other := b.tab()
	b.open(r.URL)
	other.open(r.URL)
	b.mode("fast")
	other.mode("fast")
	b.pick("testdata/photos/coffee.jpg")
	other.pick("testdata/photos/coffee.jpg")
	other.cutOut(1)
	b.cutOut(1)
	other.settle() // into the gallery that both tabs share
	b.decodesHEIC(t, s)
	b.withstands(t, s, r.URL, large)
	if sent := r.matching("POST"); sent != nil {
		t.Errorf("a photo was sent: %q", sent)
	}

	b.turnsToTheDevice(t, s, r)

	// A large photo does not block the page.
	b.open(r.URL)
	b.choose("device")
	b.mode("fast")
	_, processor, err := pagetrace.LongestTask(b.ctx, func() {
		b.pick(large)
		b.cutOut(1)
	})
	if err != nil || processor > 100*time.Millisecond {
		t.Errorf("the page was blocked for %v, %v", processor, err)
	}

	// What is kept can be removed; nothing is fetched again without asking.
	b.do(chromedp.Navigate(r.URL + "/device/data"))
	b.await(`document.getElementById('device-bytes').checkVisibility()`)
	b.do(chromedp.Click("#device-remove"))
	b.await(`!document.getElementById('device-bytes').checkVisibility()`)
	if evaluate[bool](b, `caches.has('device')`) {
		t.Error("something is left")
	}
	// The site is updated while the page is open.
	b.open(r.URL)
	updated := *s.live.Current()
	updated.Inference.DeviceSizes = "512"
	s.settings.Store(webSettings(&updated, s.browser.Load()))
	if _, err := chromedp.Call(b.ctx, network.ClearBrowserCache, cdp.Empty{}); err != nil { // the list from before is there
		t.Fatal(err)
	}
	b.choose("device")
	b.pick("testdata/photos/coffee.jpg")
	if words := b.await(`document.querySelector('.problem .words')?.innerText`); !strings.Contains(words, "Reload the page") {
		t.Errorf("after an update: %q", words)
	}
	s.settings.Store(webSettings(s.live.Current(), s.browser.Load()))

	// Storage is full, and the choice is left to the page: it asks before it fetches.
	b = chromiumFor(t, 5*time.Minute)
	r.set(func(q *http.Request) bool { return q.Method == http.MethodPost }, nil)
	if _, err := chromedp.Call(b.ctx, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: r.URL, QuotaSize: new(8e6)}); err != nil {
		t.Fatal(err)
	}
	b.open(r.URL)
	b.choose("auto")
	b.mode("fast")
	b.pick("testdata/photos/coffee.jpg")
	b.await(`document.querySelector('.problem .device')`)
	if fetched := r.matching(".onnx"); fetched != nil {
		t.Errorf("fetched without asking: %q", fetched)
	}
	// In one step: the page tries the server again by itself, and shows another button then.
	b.await(`(button => { button?.click(); return button; })(document.querySelector('.problem .device'))`)
	b.await(`document.querySelectorAll('.card[data-state=done]').length`) // storage is full: it works nevertheless
	b.runsOut(t, r, large)
	b.unfit(t, r)
}

// decodesHEIC processes a photo that Chromium itself cannot decode, by the server's codec.
func (b *browser) decodesHEIC(t *testing.T, s *server) {
	t.Helper()
	const path = "../decode/testdata/plain.heic"
	got, problem := b.process(path)
	if problem != "" {
		t.Errorf("a HEIC: %q", problem)
		return
	}
	upload, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.engine.Pipeline.Remove(t.Context(), cutout.Job{Upload: upload, Options: cutout.Options{Mode: cutout.Fast}})
	if err != nil {
		t.Fatal(err)
	}
	if iou, colours := unlike(t, got, want.File); iou < 0.995 || colours > 0 {
		t.Errorf("a HEIC, on the device and on the server: IoU %.4f, colours %.2f", iou, colours)
	}
}

// turnsToTheDevice leaves the choice to the page and has the server refuse: its limit
// is used up, its queue is full, it cannot be reached, and the visitor is offline.
func (b *browser) turnsToTheDevice(t *testing.T, s *server, r *road) {
	t.Helper()
	for _, c := range []struct {
		name  string
		asked bool // whether the photo is sent to the server first
		begin func() (end func())
	}{
		{"the limit is used up", true, func() func() {
			s.limits.SetRules(ratelimit.Rules{Overrides: []ratelimit.Override{{Prefix: netip.MustParsePrefix("127.0.0.0/8"), Rate: ratelimit.Rate{Count: 1, Period: time.Hour}}}})
			response, err := http.Post(s.URL+"/api/v1/cutouts", "", nil) // counts, though it is no photo
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			return func() { s.limits.SetRules(s.live.Current().Limits.Rules) }
		}},
		{"the queue is full", true, func() func() {
			s.engine.Queue.Resize(1, 0)
			leave, err := s.engine.Queue.Enter(t.Context(), "", func(int) {})
			if err != nil {
				t.Fatal(err)
			}
			return func() {
				leave()
				s.engine.Queue.Resize(workers(s.live.Current()), s.live.Current().Inference.Queue)
			}
		}},
		{"the server is out of reach", true, func() func() {
			r.set(func(q *http.Request) bool { return q.Method == http.MethodPost }, nil)
			return func() {}
		}},
		{"the visitor is offline", false, func() func() { return b.offline() }},
	} {
		r.set(nil, nil)
		done := s.engine.Queue.Done()
		b.open(r.URL)
		b.choose("auto")
		b.mode("fast")
		end := c.begin()
		b.pick("testdata/photos/coffee.jpg")
		b.await(`document.querySelectorAll('.card[data-state=done]').length`) // after a moment in which the server refuses
		end()
		if asked := r.matching("POST /device/cutouts") != nil; asked != c.asked {
			t.Errorf("%s: the server was asked: %v", c.name, asked)
		}
		if c.name != "the queue is full" && s.engine.Queue.Done() != done {
			t.Errorf("%s: the server did it", c.name)
		}
	}
}

// offline has the page believe that there is no network, and be right.
func (b *browser) offline() (end func()) {
	set := func(offline bool) {
		if _, err := chromedp.Call(b.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: offline, DownloadThroughput: -1, UploadThroughput: -1}); err != nil {
			b.t.Fatal(err)
		}
	}
	set(true)
	b.await("!navigator.onLine")
	return func() { set(false) }
}

// unfit opens the page on devices that cannot do it: the page says so before
// anything is fetched.
func (b *browser) unfit(t *testing.T, r *road) {
	t.Helper()
	for words, lack := range map[string]string{
		"too little memory": "Object.defineProperty(Navigator.prototype, 'deviceMemory', { get: () => 1 })",
		"it lacks SIMD":     "WebAssembly.validate = () => false",
	} {
		tab := b.tab()
		if _, err := chromedp.Call(tab.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: lack}); err != nil {
			t.Fatal(err)
		}
		r.set(nil, nil)
		tab.open(r.URL)
		tab.await(fmt.Sprintf(`document.querySelector('#where .hint').textContent.includes(%q)`, words))
		if tab.shows(`document.querySelector('#where :checked').value !== 'server' || document.querySelectorAll('#where :disabled').length !== 2`) {
			t.Errorf("%s: it is offered nevertheless", words)
		}
		if fetched := r.matching("/ondevice/"); fetched != nil {
			t.Errorf("%s: fetched %q", words, fetched)
		}
	}
}

// enlarged is a photo with each of its pixels repeated so many times each way.
func enlarged(t *testing.T, file []byte, times int) []byte {
	t.Helper()
	small, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	from, size := small.(*image.YCbCr), small.Bounds().Size().Mul(times)
	grey := image.NewGray(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			grey.Pix[y*grey.Stride+x] = from.Y[from.YOffset(x/times, y/times)]
		}
	}
	var large bytes.Buffer
	if err := jpeg.Encode(&large, grey, nil); err != nil {
		t.Fatal(err)
	}
	return large.Bytes()
}

// forBrowsers stands for what the model store offers to browsers.
func forBrowsers() *model.Browser {
	file := model.WebFile{Path: "/data/file", SHA256: strings.Repeat("0123456789abcdef", 4)}
	return &model.Browser{
		Model: cutout.Model{Name: model.Default}, Graph: file,
		Sizes: []int{512, 1024},
	}
}

// The operator says whether devices are offered anything, and at which sizes.
func TestDeviceSizes(t *testing.T) {
	for sizes, want := range map[string]string{"all": `"sizes":[512,1024]`, "1024": `"sizes":[1024]`, "768": "", "off": ""} {
		c, err := config.Load(config.Sources{Environ: []string{"BGREMOVER_DEVICE_SIZES=" + sizes}})
		if err != nil {
			t.Fatal(err)
		}
		offer := onDevice(c, forBrowsers())
		if (offer == nil) != (want == "") || offer != nil && !strings.Contains(string(offer.Content), want) {
			t.Errorf("%s: %+v", sizes, offer)
		}
	}
	if onDevice(&config.Config{}, nil) != nil {
		t.Error("offered before it is known what")
	}
}
