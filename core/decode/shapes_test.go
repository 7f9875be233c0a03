package decode_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"runtime"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"pgregory.net/rapid"

	"bgremover.pro/core/decode"
)

// Decoding allocates no more than it announced, whatever the shape; and a side
// over the limit is refused in every shape.
func TestMemoryOfAnyShape(t *testing.T) {
	writers := map[string]func(io.Writer, image.Image) error{
		"png":  png.Encode,
		"jpeg": func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, nil) },
		"gif":  func(w io.Writer, m image.Image) error { return gif.Encode(w, m, nil) },
		"bmp":  bmp.Encode,
		"tiff": func(w io.Writer, m image.Image) error {
			return tiff.Encode(w, m, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		},
	}
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom([]string{"png", "jpeg", "gif", "bmp", "tiff"}).Draw(t, "format")
		side := func(name string, most int) int {
			return rapid.OneOf(rapid.IntRange(1, most), rapid.SampledFrom([]int{1, 2, most})).Draw(t, name)
		}
		width := side("width", 32767)
		height := side("height", min(32767, max(1, 100_000/width)))
		if rapid.Bool().Draw(t, "tall") {
			width, height = height, width
		}
		img := [...]image.Image{
			image.NewNRGBA(image.Rect(0, 0, width, height)),
			image.NewGray(image.Rect(0, 0, width, height)),
			image.NewRGBA64(image.Rect(0, 0, width, height)),
			image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black, color.White}),
		}[rapid.IntRange(0, 3).Draw(t, "kind")]
		var file bytes.Buffer
		if err := writers[format](&file, img); err != nil {
			t.Fatal(err)
		}
		deep := rapid.Bool().Draw(t, "deep")
		limits := decode.Limits{MaxSide: 32767}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		upload, err := decode.Open(context.Background(), file.Bytes(), limits, deep)
		if err != nil {
			t.Fatal(err)
		}
		photo, err := upload.Decode(context.Background())
		runtime.ReadMemStats(&after)
		if err != nil || photo.Width != width || photo.Height != height {
			t.Fatalf("%d x %d: %v", width, height, err)
		}
		// Buffers that grow count with all their earlier sizes, twice under -race.
		if spent := int64(after.TotalAlloc - before.TotalAlloc); spent > upload.Memory+4<<20 {
			t.Fatalf("%s of %d x %d: %d kB allocated, %d announced", format, width, height, spent>>10, upload.Memory>>10)
		}
		limits.MaxSide = max(width, height) - 1
		if limits.MaxSide == 0 {
			return
		}
		if _, err := decode.Open(context.Background(), file.Bytes(), limits, deep); err == nil {
			t.Fatalf("%s of %d x %d with at most %d a side", format, width, height, limits.MaxSide)
		}
	})
}
