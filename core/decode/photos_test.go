package decode_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
)

const photos = "../../../shared/photos"

// manifest reads what is to be expected of each file of a folder.
func manifest(t *testing.T, folder string) map[string]string {
	data, err := os.ReadFile(filepath.Join(photos, "MANIFEST.tsv"))
	if os.IsNotExist(err) {
		t.Skip("no folder shared/photos beside the checkout")
	}
	if err != nil {
		t.Fatal(err)
	}
	expect := map[string]string{}
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(f[0], folder+"/") {
			expect[f[0]] = f[len(f)-1]
		}
	}
	if len(expect) == 0 {
		t.Fatal("nothing in the manifest")
	}
	return expect
}

var serverLimits = decode.Limits{MaxPixels: 50e6, MaxMemory: 500 << 20, Timeout: time.Minute}

func TestAwkwardFiles(t *testing.T) {
	for name := range manifest(t, "formats") {
		data, err := os.ReadFile(filepath.Join(photos, name))
		if err != nil {
			t.Fatal(err)
		}
		_, err = decode.Decode(t.Context(), data, serverLimits, true)
		// libjpeg finds the pixels of this one damaged, too, in every row.
		if damaged := strings.Contains(name, "bad_exif_good_pixels"); damaged != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A hostile file gets an answer, and a refused one has cost next to nothing.
func TestHostileFiles(t *testing.T) {
	for name, expect := range manifest(t, "hostile") {
		data, err := os.ReadFile(filepath.Join(photos, name))
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p, err := decode.Decode(t.Context(), data, serverLimits, false)
		runtime.ReadMemStats(&after)
		if err == nil && expect == "invalid" || err != nil && expect == "valid" {
			t.Errorf("%s is %s: %v", name, expect, err)
		}
		if spent := after.TotalAlloc - before.TotalAlloc; err != nil && spent > 50<<20 {
			t.Errorf("%s: %d MB to refuse it", name, spent>>20)
		}
		if err == nil {
			if h, _ := decode.Open(t.Context(), data, decode.Limits{}, false); after.TotalAlloc-before.TotalAlloc > uint64(h.Memory)+8<<20 {
				t.Errorf("%s: %d MB, its header said %d", name, (after.TotalAlloc-before.TotalAlloc)>>20, h.Memory>>20)
			}
			checkPhoto(t, p, serverLimits)
			continue
		}
		switch cutout.CodeOf(err) {
		case cutout.Invalid, cutout.UnsupportedFormat, cutout.TooManyPixels:
		default:
			t.Errorf("%s: %v", name, err)
		}
	}
}

func checkPhoto(t *testing.T, p *cutout.Photo, limits decode.Limits) {
	t.Helper()
	n := p.Width * p.Height
	if n <= 0 || n > limits.MaxPixels || len(p.Pix) != 4*n || p.Deep != nil && len(p.Deep) != 4*n {
		t.Fatalf("%d x %d with %d and %d samples", p.Width, p.Height, len(p.Pix), len(p.Deep))
	}
	opaque := true
	for i := 3; i < len(p.Pix); i += 4 {
		opaque = opaque && p.Pix[i] == 255 && (p.Deep == nil || p.Deep[i] == 65535)
	}
	if opaque != p.Opaque {
		t.Fatalf("opaque is %v", p.Opaque)
	}
}

func BenchmarkDecode(b *testing.B) {
	data, err := os.ReadFile(filepath.Join(photos, "plain/bike_12mp.jpg"))
	if err != nil {
		b.Skip("no folder shared/photos beside the checkout")
	}
	benchmarkAgainstLibrary(b, data)
}
