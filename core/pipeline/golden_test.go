package pipeline_test

import (
	"bytes"
	"context"
	"flag"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/pipeline"
)

// The golden cut-out was made from a mask of the installed model that is kept
// beside it, so that it holds edges and colours still, not the model; it was
// looked at, zoomed, at the hair. Run
//
//	go test ./core/pipeline -run Golden -update
//
// only where a change is meant to change it, and say why in its message.
var update = flag.Bool("update", false, "rewrite the golden cut-out")

// drawn answers with a mask that is already there.
type drawn struct{ mask *image.Gray }

func (d drawn) Acquire(context.Context, string, string) (cutout.Lease, error) { return d, nil }
func (d drawn) Sizes() []int                                                  { return []int{d.mask.Rect.Dx()} }
func (drawn) Release()                                                        {}

func (d drawn) Segment(context.Context, *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	return &cutout.Mask{Width: d.mask.Rect.Dx(), Height: d.mask.Rect.Dy(), Pix: bytes.Clone(d.mask.Pix)}, cutout.Run{}, nil
}

func TestGoldenCutout(t *testing.T) {
	photo, err := os.ReadFile(filepath.Join("..", "app", "testdata", "photos", "astronaut.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	mask := readPNG(t, "astronaut.mask.png").(*image.Gray)
	line := pipeline.New(drawn{mask}, pipeline.NewQueue(1, 1), 1<<30, pipeline.Settings{
		Decode: decode.Limits{MaxPixels: 1 << 20, MaxMemory: 1 << 30}, Mode: cutout.Fast, Timeout: time.Minute,
	})
	result, err := line.Remove(t.Context(), cutout.Job{Upload: photo})
	if err != nil {
		t.Fatal(err)
	}
	const golden = "astronaut.cutout.png"
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", golden), result.File, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	decoded := pictureOf(t, result)
	got, want := decoded.(*image.NRGBA), readPNG(t, golden).(*image.NRGBA)
	if got.Rect != want.Rect {
		t.Fatalf("%v, want %v", got.Rect, want.Rect)
	}
	mean, most := distance(got, want)
	t.Logf("where either is half transparent: mean distance %.3f, at most %.0f", mean, most)
	// Processors round sums of floating point differently, by a level here or there.
	if mean > 0.25 || most > 8 {
		t.Errorf("mean distance %.3f (at most 0.25), at most %.0f (8)", mean, most)
	}
}

// distance compares alpha and the colours times alpha, 0 to 255: its mean where
// either picture is half transparent, and the greatest anywhere.
func distance(a, b *image.NRGBA) (mean, most float64) {
	var sum, n float64
	for i := 0; i < len(a.Pix); i += 4 {
		p, q := a.Pix[i:i+4], b.Pix[i:i+4]
		here := max(float64(p[3])-float64(q[3]), float64(q[3])-float64(p[3]))
		for c := range 3 {
			d := float64(p[c])*float64(p[3])/255 - float64(q[c])*float64(q[3])/255
			here = max(here, d, -d)
		}
		most = max(most, here)
		if p[3]%255 != 0 || q[3]%255 != 0 {
			sum += here
			n++
		}
	}
	return sum / n, most
}

func readPNG(t *testing.T, name string) image.Image {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return picture
}
