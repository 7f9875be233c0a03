package pipeline_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"bgremover.pro/core/cutout"
)

// A source of sixteen bits comes out with its own samples where the subject is,
// and with levels between those of eight bits where it ends.
func TestSixteenBitsStaySixteenBits(t *testing.T) {
	const side = 331
	source := image.NewNRGBA64(image.Rect(0, 0, side, side))
	for i := range side * side {
		x, y := uint16(i%side), uint16(i/side)
		source.SetNRGBA64(int(x), int(y), color.NRGBA64{R: 20000 + 100*x + 3, G: 30000 + 90*y + 1, B: 12345 + 7*x + 11*y, A: 65535})
	}
	var file bytes.Buffer
	if err := png.Encode(&file, source); err != nil {
		t.Fatal(err)
	}
	result, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: file.Bytes(), Options: cutout.Options{Depth: 16}})
	if err != nil {
		t.Fatal(err)
	}
	decoded := pictureOf(t, result)
	got, ok := decoded.(*image.NRGBA64)
	if !ok {
		t.Fatalf("the answer is %T", decoded)
	}
	between := map[uint16]bool{}
	for y := range side {
		for x := range side {
			switch c := got.NRGBA64At(x, y); {
			case c.A == 65535 && c != source.NRGBA64At(x, y):
				t.Fatalf("at %d, %d: %v was %v", x, y, c, source.NRGBA64At(x, y))
			case c.A == 0 && c != color.NRGBA64{}:
				t.Fatalf("at %d, %d: %v", x, y, c)
			case c.A%257 != 0:
				between[c.A] = true
			}
		}
	}
	if got.NRGBA64At(side/2, side/2).A != 65535 || got.NRGBA64At(1, 1).A != 0 {
		t.Error("the subject is not where it was")
	}
	if len(between) < 20 {
		t.Errorf("the edge has %d levels that eight bits cannot say", len(between))
	}
}
