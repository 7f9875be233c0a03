package encode_test

import (
	"context"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/encode"
)

// No encoder takes memory by a side, and none outlives its context.
func TestMemoryOfAnyShape(t *testing.T) {
	if err := encode.Prepare(); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		side := func(name string, most int) int {
			return rapid.OneOf(rapid.IntRange(1, most), rapid.SampledFrom([]int{1, 2, most})).Draw(t, name)
		}
		width := side("width", 32767)
		height := side("height", min(32767, max(1, 100_000/width)))
		format := rapid.SampledFrom([]cutout.Format{cutout.PNG, cutout.JPEG, cutout.WebP}).Draw(t, "format")
		depth := rapid.SampledFrom([]int{8, 16}).Draw(t, "depth")
		pixels, opaque := width*height, format == cutout.JPEG
		photo := &cutout.Photo{Width: width, Height: height, Pix: make([]uint8, 4*pixels), Deep: make([]uint16, 4*pixels), Opaque: opaque}
		for i := range photo.Pix {
			photo.Pix[i], photo.Deep[i] = uint8(i*i>>5), uint16(i*i>>3)
		}
		mask := &cutout.Mask{Width: width, Height: height, Pix: photo.Pix[:pixels], Deep: photo.Deep[:pixels]}
		for name, write := range map[string]func(context.Context) ([]byte, error){
			"photo": func(ctx context.Context) ([]byte, error) { return encode.Photo(ctx, photo, format, depth) },
			"mask":  func(ctx context.Context) ([]byte, error) { return encode.Mask(ctx, mask, format, depth) },
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			file, err := write(context.Background())
			runtime.ReadMemStats(&after)
			if tooWide := format == cutout.WebP && max(width, height) > 16383; (err != nil) != tooWide {
				t.Fatalf("%s of %d x %d as %s: %v", name, width, height, format, err)
			}
			// Twice the file while it is put together, and for each core some rows
			// and a compressor.
			bound := 4*uint64(len(file)) + uint64(runtime.GOMAXPROCS(0))*(64*uint64(width)+4<<20) + uint64(pixels) + 8<<20
			if spent := after.TotalAlloc - before.TotalAlloc; spent > bound {
				t.Fatalf("%s of %d x %d as %s: %d kB, not %d", name, width, height, format, spent>>10, bound>>10)
			}
			gone, leave := context.WithCancel(context.Background())
			leave()
			if _, err := write(gone); err == nil {
				t.Fatalf("%s of %d x %d as %s for a visitor who left", name, width, height, format)
			}
		}
	})
}
