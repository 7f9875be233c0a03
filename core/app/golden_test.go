package app

import (
	"bytes"
	"flag"
	"image"
	_ "image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"bgremover.pro/core/cutout"
)

// The golden masks were made with the installed model and inspected. They are
// of photos whose subject is beyond doubt: of others, such as a cat's face that
// fills the picture, the sizes of the model rightly disagree. Run
//
//	go test ./core/app -run Golden -update
//
// only if a change is meant to change them, and say why in its commit message.
var update = flag.Bool("update", false, "write the golden masks again")

// Distances between the alpha of a result and its golden mask, as mean
// absolute difference of samples 0 to 255. What machines and variants of the
// model may differ by is allowed; what an eye sees is not.
const (
	sameSize  = 4.0
	fewErrors = 0.02 // share of pixels on the other side of one half
)

func TestGoldenCutouts(t *testing.T) {
	engine := sharedEngine(t)
	for _, name := range []string{"astronaut", "coffee"} {
		for _, mode := range []cutout.Mode{cutout.Best, cutout.Auto} {
			t.Run(name+"/"+string(mode), func(t *testing.T) {
				upload := photo(t, name+".jpg")
				source, _, err := image.DecodeConfig(bytes.NewReader(upload))
				if err != nil {
					t.Fatal(err)
				}
				result, err := engine.Pipeline.Remove(t.Context(), cutout.Job{Upload: upload, Options: cutout.Options{Mode: mode}})
				if err != nil {
					t.Fatal(err)
				}
				got := alphaOf(t, result.File)
				if got.Bounds().Size() != (image.Point{X: source.Width, Y: source.Height}) {
					t.Fatalf("the photo is %dx%d, its cut-out %v", source.Width, source.Height, got.Bounds().Size())
				}
				if result.Subject != cutout.SubjectFound {
					t.Error("no subject found")
				}
				if run := result.Run; run.Backend != "onnx-cpu" || run.Model != "isnet" || run.Mode != mode || len(run.Sizes) == 0 || run.Inference <= 0 {
					t.Errorf("the run is reported as %+v", run)
				}
				compare(t, got, name)
			})
		}
	}
}

// compare holds a mask against the golden one.
func compare(t *testing.T, got *image.Gray, name string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".png")
	if *update {
		var file bytes.Buffer
		if err := png.Encode(&file, got); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoded, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	want := decoded.(*image.Gray)
	if want.Bounds() != got.Bounds() {
		t.Fatalf("size %v, want %v", got.Bounds(), want.Bounds())
	}
	var sum, wrong int
	for i, w := range want.Pix {
		d := int(w) - int(got.Pix[i])
		sum += max(d, -d)
		if (w < 128) != (got.Pix[i] < 128) {
			wrong++
		}
	}
	n := float64(len(want.Pix))
	mean, share := float64(sum)/n, float64(wrong)/n
	t.Logf("mean distance %.2f, %.2f %% of the pixels on the other side", mean, 100*share)
	if mean > sameSize || share > fewErrors {
		t.Errorf("mean distance %.2f (at most %.1f), %.2f %% on the other side (at most %.0f)", mean, sameSize, 100*share, 100*fewErrors)
	}
}

// alphaOf reads the alpha of a PNG.
func alphaOf(t testing.TB, file []byte) *image.Gray {
	t.Helper()
	decoded, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	alpha := image.NewGray(decoded.Bounds())
	switch img := decoded.(type) {
	case *image.NRGBA:
		for i := range alpha.Pix {
			alpha.Pix[i] = img.Pix[4*i+3]
		}
	case *image.Gray:
		copy(alpha.Pix, img.Pix)
	default:
		t.Fatalf("a cut-out is %T", decoded)
	}
	return alpha
}
