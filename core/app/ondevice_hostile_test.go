package app

import (
	"bytes"
	varint "encoding/binary"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"bgremover.pro/core/cutout"
	"bgremover.pro/ops/security/crafted"
)

// withstands processes files that were made to break what opens them, with photos
// between them: each gets the server's sentence, and the photos come out.
func (b *browser) withstands(t *testing.T, s *server, address, large string) {
	t.Helper()
	folder := t.TempDir()
	for _, file := range crafted.Files() {
		switch kind, _, _ := strings.Cut(file.Name, " "); kind {
		case "heic", "avif": // of other formats, the server's tests have enough
		default:
			continue
		}
		upload := file.Make(crafted.Scale{Bytes: 300_000, Pixels: 10_000_000})
		path := filepath.Join(folder, file.Name)
		if err := os.WriteFile(path, upload, 0o600); err != nil {
			t.Fatal(err)
		}
		problem, _ := b.outcome(path)
		_, err := s.engine.Pipeline.Remove(t.Context(), cutout.Job{Upload: upload})
		if err == nil || problem != cutout.MessageOf(err) && !strings.HasPrefix(problem, "This browser cannot open an AVIF") {
			t.Errorf("%s: the device says %q, the server %v", file.Name, problem, err)
		}
	}
	b.comesOut(t, "../decode/testdata/plain.heic")

	// However much a file makes the codec allocate, it gets what its size allows.
	if got := evaluate[string](b, `(async () => {
		await import(document.querySelector('script[type=module]').src.replace(/[^/]*$/, 'worker/codecs.js'));
		const codec = await startCodec('heif', 64 << 20);
		return [40 << 20, 40 << 20].map((size) => (codec.malloc(size) ? 'memory' : 'none')).join();
	})()`); got != "memory,none" {
		t.Errorf("a codec with 64 MB asked for 40 MB twice and got %s", got)
	}

	// Decoding that does not end is stopped.
	evaluate[bool](b, `(() => {
		const plain = setTimeout;
		globalThis.setTimeout = (act, after, ...rest) => plain(act, after === 60_000 ? 1 : after, ...rest);
		return true;
	})()`)
	if problem, _ := b.outcome(large); problem != "Decoding the photo took too long and was stopped." {
		t.Errorf("a photo that takes too long: %q", problem)
	}
	b.open(address)
	b.comesOut(t, "testdata/photos/coffee.jpg")
}

// comesOut expects a photo to be processed.
func (b *browser) comesOut(t *testing.T, path string) {
	t.Helper()
	if problem, _ := b.outcome(path); problem != "" {
		t.Errorf("%s, after a file that failed: %q", path, problem)
	}
}

// runsOut has the pipeline's module run with so little memory that a large photo ends it:
// the page says so, and the next photo comes out.
func (b *browser) runsOut(t *testing.T, r *road, large string) {
	t.Helper()
	r.short(t)
	evaluate[bool](b, `(async () => {
		for (const name of await caches.keys()) {
			const cache = await caches.open(name);
			for (const { url } of await cache.keys()) if (url.endsWith('/bgremover.wasm')) await cache.delete(url, { ignoreVary: true });
		}
		return true;
	})()`)
	if _, err := chromedp.Call(b.ctx, network.ClearBrowserCache, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	b.open(r.URL)
	b.choose("device")
	if problem, _ := b.outcome(large); problem != "This device ran out of memory, or its browser stopped the work." {
		t.Errorf("without memory: %q", problem)
	}
	b.comesOut(t, "testdata/photos/coffee.jpg")
}

// short bounds the memory of the pipeline's module.
func (r *road) short(t *testing.T) {
	const module = "/wasm/bgremover.wasm"
	r.set(func(q *http.Request) bool {
		if strings.HasSuffix(q.URL.Path, module) {
			q.Header.Del("Accept-Encoding")
		}
		return q.Method == http.MethodPost
	}, func(q *http.Request, answer *http.Response) {
		if !strings.HasSuffix(q.URL.Path, module) {
			return
		}
		whole, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Error(err)
		}
		whole = bounded(whole, 128<<20)
		answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(whole)), int64(len(whole))
		answer.Header.Del("Content-Length")
	})
}

// bounded returns a module of WebAssembly with a bound on its memory.
func bounded(module []byte, memory uint64) []byte {
	for at := 8; at < len(module); {
		length, n := varint.Uvarint(module[at+1:])
		body := at + 1 + n
		end := body + int(length)
		if module[at] == 5 { // the section of memories: their number, flags, least and most
			least, _ := varint.Uvarint(module[body+2:])
			section := varint.AppendUvarint(varint.AppendUvarint([]byte{1, 1}, least), memory>>16)
			return bytes.Join([][]byte{module[:at], {5, byte(len(section))}, section, module[end:]}, nil)
		}
		at = end
	}
	return module
}
