package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"bgremover.pro/core/config"
)

// peerPage runs @imgly/background-removal from its npm package, with its own defaults.
const peerPage = `<!doctype html>
<script type="importmap">{"imports": {"onnxruntime-web": "/node_modules/onnxruntime-web/dist/ort.bundle.min.mjs"}}</script>
<script type="module">
	import { removeBackground } from '/node_modules/@imgly/background-removal/dist/index.mjs';
	globalThis.peer = async (path) => {
		const photo = await (await fetch(path)).blob();
		const began = performance.now();
		const { size } = await removeBackground(photo, { publicPath: location.origin + '/' });
		return size && (performance.now() - began) / 1000;
	};
</script>`

// besidePeer logs how long a photo takes here and with @imgly/background-removal, in
// one Chromium, side by side in one run. Its model comes from another host than npm,
// so it gets the installed one, which has the same weights in the same precision.
func (b *browser) besidePeer(t *testing.T, folder string) {
	if folder == "" {
		t.Log("make device compares with the peer")
		return
	}
	c, err := config.Load(config.Sources{Environ: environ(t)})
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(peerSite(t, folder, filepath.Join(c.Folders.Data, "models", "isnet.onnx")))
	t.Cleanup(site.Close)
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	peer := &browser{t, ctx}
	peer.do(chromedp.Navigate(site.URL + "/"))
	peer.await("globalThis.peer")
	for path, what := range map[string]string{"plain/bike_12mp.jpg": "12 MP", "plain/boat_1280.jpg": "1 MP"} {
		remove := fmt.Sprintf("peer('/photos/%s')", path)
		evaluate[float64](peer, remove) // with what is loaded once
		b.outcome(photos + path)
		before := b.processorTime(t)
		theirs := evaluate[float64](peer, remove)
		between := b.processorTime(t)
		_, ours := b.outcome(photos + path)
		after := b.processorTime(t)
		t.Logf("%s: %.1f s, the peer %.1f s, so %.1f times as fast; of the processor's time %.1f s and %.1f s, %.1f times",
			what, ours, theirs, theirs/ours, after-between, between-before, (between-before)/(after-between))
	}
}

// peerSite serves what the peer fetches, isolated so that it may use threads.
func peerSite(t *testing.T, folder, model string) http.Handler {
	type chunk struct {
		Name    string   `json:"name"`
		Offsets [2]int64 `json:"offsets"`
	}
	type resource struct {
		Chunks []chunk `json:"chunks"`
		Size   int64   `json:"size"`
		Mime   string  `json:"mime"`
	}
	resources, served := map[string]resource{}, http.NewServeMux()
	add := func(name, path, mime string) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		resources[name] = resource{[]chunk{{"files" + name, [2]int64{0, info.Size()}}}, info.Size(), mime}
		served.HandleFunc("GET /files"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) })
	}
	add("/models/isnet_fp16", model, "application/octet-stream")
	for ending, mime := range map[string]string{"mjs": "text/javascript", "wasm": "application/wasm"} {
		name := "ort-wasm-simd-threaded." + ending
		add("/onnxruntime-web/"+name, filepath.Join(folder, "onnxruntime-web", "dist", name), mime)
	}
	list, err := json.Marshal(resources)
	if err != nil {
		t.Fatal(err)
	}
	served.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(peerPage)) })
	served.HandleFunc("GET /resources.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(list) })
	served.Handle("GET /photos/", http.StripPrefix("/photos", http.FileServer(http.Dir(photos))))
	served.HandleFunc("GET /node_modules/", func(w http.ResponseWriter, r *http.Request) {
		if filepath.Ext(r.URL.Path) == ".mjs" {
			w.Header().Set("Content-Type", "text/javascript")
		}
		http.StripPrefix("/node_modules", http.FileServer(http.Dir(folder))).ServeHTTP(w, r)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		served.ServeHTTP(w, r)
	})
}
