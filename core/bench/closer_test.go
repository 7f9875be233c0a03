package bench

import (
	"bytes"
	"image"
	"image/jpeg"
	"slices"
	"testing"
)

func TestTheFinestEdgesAreShownCloser(t *testing.T) {
	const width, height = 700, 500
	matte := make([]uint8, width*height)
	haze := func(at image.Rectangle, a uint8) {
		for y := at.Min.Y; y < at.Max.Y; y++ {
			for x := at.Min.X; x < at.Max.X; x++ {
				matte[y*width+x] = a
			}
		}
	}
	if at := edges(matte, width, height); at != nil {
		t.Errorf("nothing to see: %v", at)
	}
	haze(image.Rect(0, 0, 400, 300), 255)
	haze(image.Rect(90, 90, 100, 100), 128)   // a little
	haze(image.Rect(570, 410, 690, 490), 100) // most, in the corner
	haze(image.Rect(330, 250, 400, 300), 30)  // more
	haze(image.Rect(480, 330, 700, 400), 10)  // hardly there
	haze(image.Rect(0, 400, 300, 500), 250)   // nearly full
	at := edges(matte, width, height)
	want := []image.Rectangle{image.Rect(560, 400, 700, 500), image.Rect(240, 160, 400, 320)}
	if !slices.Equal(at, want) {
		t.Fatalf("%v, want %v", at, want)
	}
	shown := closeUps(image.NewNRGBA(image.Rect(0, 0, width, height)), at)
	for i, picture := range shown {
		got, err := jpeg.Decode(bytes.NewReader(picture))
		if err != nil || got.Bounds().Size() != at[i].Size().Mul(closer) {
			t.Fatalf("%v, %v", got.Bounds(), err)
		}
		if r, g, b, _ := got.At(9, 9).RGBA(); r > g || g > b {
			t.Errorf("what is transparent shows %x %x %x, not the ground", r, g, b)
		}
	}
	if tiny := edges([]uint8{100}, 1, 1); len(tiny) != 1 || tiny[0] != image.Rect(0, 0, 1, 1) {
		t.Errorf("a single pixel: %v", tiny)
	}
}
