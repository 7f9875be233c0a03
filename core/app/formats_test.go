package app

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// upright are sizes as a person sees the picture, where the file itself could
// be read otherwise.
var upright = map[string]image.Point{
	"exif_landscape_1.jpg": {X: 1800, Y: 1200},
	"exif_landscape_3.jpg": {X: 1800, Y: 1200},
	"exif_landscape_6.jpg": {X: 1800, Y: 1200},
	"exif_landscape_8.jpg": {X: 1800, Y: 1200},
	"exif6.webp":           {X: 128, Y: 128},
	"gainmap_hdr.jpg":      {X: 3840, Y: 2160},
	"one_pixel.png":        {X: 1, Y: 1},
	"1bit_2809x2074.png":   {X: 2809, Y: 2074},
	"photo.bmp":            {X: 640, Y: 426},
	"webp_lossy.webp":      {X: 1024, Y: 772},
}

// Every awkward but valid file comes through the whole server. Whether its
// colours are right is core/decode's to prove.
func TestFormatsAgainstTheServer(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/photos/formats/*")
	if len(files) == 0 {
		t.Skip("no ../shared/photos beside the checkout")
	}
	s := serve(t)
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			answer, body := s.post(t, "?mode=fast", content)
			if name == "bad_exif_good_pixels.jpg" {
				// Its pixels are not good: its entropy-coded data breaks off in every
				// row, and what lenient decoders show of it is noise.
				if answer.StatusCode != http.StatusBadRequest {
					t.Errorf("%d %s", answer.StatusCode, body)
				}
				return
			}
			if answer.StatusCode != http.StatusOK {
				t.Fatalf("%d %s", answer.StatusCode, body)
			}
			got, err := png.DecodeConfig(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			want, listed := upright[name]
			if listed && (image.Point{X: got.Width, Y: got.Height}) != want {
				t.Errorf("%dx%d, want %v", got.Width, got.Height, want)
			}
		})
	}
}
