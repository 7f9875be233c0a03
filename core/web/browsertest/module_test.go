package browsertest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"bgremover.pro/core/correct"
	"bgremover.pro/core/correct/correcttest"
	"bgremover.pro/core/cutout"
	"bgremover.pro/static"
)

const module = "wasm/bgremover.wasm"

// The module that a browser gets corrects as the server does, byte for byte.
func TestTheModuleCorrectsAsTheServerDoes(t *testing.T) {
	s := startSite(t)
	p := open(t, "")
	p.visit(s.url)
	photo, alpha := correcttest.Squares(1200, 900)
	keep, remove := correcttest.Line(true, 0.7, 0.35, 0.8, 0.4), correcttest.Line(false, 0.2, 0.35, 0.25, 0.4)
	want, err := correct.Alpha(t.Context(), photo, alpha, correct.Seeds(photo.Width, photo.Height, []correct.Stroke{keep, remove}), cutout.Refined)
	if err != nil {
		t.Fatal(err)
	}
	p.act(fmt.Sprintf(`
		const { pipeline } = await import(%q);
		const { begin, rows, preview, finish, result } = await pipeline;
		const bytes = (s) => Uint8Array.from(atob(s), (c) => c.charCodeAt(0));
		const [width, height] = [%d, %d];
		const photo = bytes(%q);
		const cutout = new Uint8Array(photo.length);
		bytes(%q).forEach((level, i) => { cutout[4 * i + 3] = level; });
		begin(width, height);
		for (let y = 0; y < height; y += 100) rows(y, y + 100, photo.subarray(4 * y * width, 4 * (y + 100) * width), cutout.subarray(4 * y * width, 4 * (y + 100) * width));
		const line = (keep, ...points) => ({ keep, literal: false, points: Float32Array.from(points) });
		const strokes = [line(true, 0.7, 0.35, 0.01, 0.8, 0.4, 0.01), line(false, 0.2, 0.35, 0.01, 0.25, 0.4, 0.01)];
		const small = preview(strokes);
		finish(strokes);
		const pixels = result(0, height);
		let refused = '';
		try { begin(2, 2); rows(0, 2, new Uint8Array(3), new Uint8Array(16)); } catch (error) { refused = error.message; }
		let text = '';
		for (let i = 3; i < pixels.length; i += 4) text += String.fromCharCode(pixels[i]);
		globalThis.answer = { alpha: btoa(text), small: small.width + 'x' + small.levels.length, refused };`,
		static.Path("js/worker/pipeline.js"), photo.Width, photo.Height,
		base64.StdEncoding.EncodeToString(photo.Pix), base64.StdEncoding.EncodeToString(alpha.Pix)))
	got, err := base64.StdEncoding.DecodeString(eval[string](p, "answer.alpha"))
	if err != nil || !bytes.Equal(got, want.Pix) {
		differ := 0
		for i := range min(len(got), len(want.Pix)) {
			if got[i] != want.Pix[i] {
				differ++
			}
		}
		t.Errorf("of %d levels, %d differ (%v)", len(want.Pix), differ, err)
	}
	p.holds("answer.small === '600x270000'")
	p.holds("answer.refused.length > 0")
}

// The module comes compressed and is kept for good; no page loads it by itself.
func TestTheModuleIsKept(t *testing.T) {
	s := startSite(t)
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+static.Path(module), nil)
	request.Header.Set("Accept-Encoding", "br")
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for name, want := range map[string]string{"Content-Type": "application/wasm", "Content-Encoding": "br", "Cache-Control": "immutable"} {
		if got := answer.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	// With the whole pipeline: a first correction, or a first photo on the device, waits for it.
	if answer.ContentLength <= 0 || answer.ContentLength > 1200<<10 {
		t.Errorf("%d bytes", answer.ContentLength)
	}
}
