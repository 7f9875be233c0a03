package compose_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"math"
	"testing"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/cutout"
	"pgregory.net/rapid"
)

// card is an opaque rectangle of one colour on a transparent photo.
func card(width, height int, box image.Rectangle, colour color.NRGBA) *cutout.Photo {
	photo := &cutout.Photo{Width: width, Height: height, Pix: make([]uint8, 4*width*height)}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			copy(photo.Pix[4*(y*width+x):], []uint8{colour.R, colour.G, colour.B, colour.A})
		}
	}
	return photo
}

var red = color.NRGBA{R: 200, G: 20, B: 10, A: 255}

func TestCropToTheSubject(t *testing.T) {
	for name, c := range map[string]struct {
		box    image.Rectangle
		margin float64
		want   image.Rectangle
	}{
		"no margin":           {image.Rect(30, 20, 50, 60), 0, image.Rect(30, 20, 50, 60)},
		"a tenth":             {image.Rect(30, 20, 50, 60), 0.1, image.Rect(26, 16, 54, 64)},
		"beyond the border":   {image.Rect(2, 3, 90, 60), 0.25, image.Rect(0, 0, 100, 80)},
		"one pixel":           {image.Rect(99, 79, 100, 80), 0, image.Rect(99, 79, 100, 80)},
		"nothing, all of it":  {image.Rectangle{}, 0.1, image.Rect(0, 0, 100, 80)},
		"everything":          {image.Rect(0, 0, 100, 80), 0.5, image.Rect(0, 0, 100, 80)},
		"a line, half beside": {image.Rect(10, 5, 60, 6), 0.5, image.Rect(0, 0, 85, 31)},
	} {
		photo := deepen(card(100, 80, c.box, red))
		got := cropped(t, photo, c.margin)
		if got.Width != c.want.Dx() || got.Height != c.want.Dy() {
			t.Errorf("%s: %dx%d, not %v", name, got.Width, got.Height, c.want)
			continue
		}
		want := deepen(card(got.Width, got.Height, c.box.Sub(c.want.Min), red))
		if !bytes.Equal(got.Pix, want.Pix) || len(got.Deep) != len(want.Deep) {
			t.Errorf("%s: the pixels differ", name)
		}
	}
}

func TestBoundsLeaveOutWhatHardlyShows(t *testing.T) {
	photo := card(50, 50, image.Rect(0, 0, 50, 50), color.NRGBA{R: 9, A: 12})
	if got := bounds(t, photo); !got.Empty() {
		t.Errorf("%v", got)
	}
	photo.Pix[4*(7*50+9)+3] = 13
	if got := bounds(t, photo); got != image.Rect(9, 7, 10, 8) {
		t.Errorf("%v", got)
	}
}

func TestGradientRunsAsInCSS(t *testing.T) {
	black, white := color.NRGBA{A: 255}, color.NRGBA{R: 255, G: 255, B: 255, A: 255}
	for degrees, want := range map[float64][4]uint8{ // the corners, row by row
		0: {254, 254, 1, 1}, 90: {1, 254, 1, 254}, 180: {1, 1, 254, 254}, 270: {254, 1, 254, 1},
		45: {128, 254, 1, 128}, -45: {254, 128, 128, 1}, 135: {1, 128, 128, 254},
	} {
		photo := deepen(&cutout.Photo{Width: 100, Height: 100, Pix: make([]uint8, 40000)})
		if err := compose.Gradient(t.Context(), photo, black, white, degrees); err != nil {
			t.Fatal(err)
		}
		for i, at := range []int{0, 99, 9900, 9999} {
			if got := photo.Pix[4*at]; math.Abs(float64(got)-float64(want[i])) > 1 {
				t.Errorf("%v degrees, corner %d: %d, not %d", degrees, i, got, want[i])
			}
			if d := float64(photo.Deep[4*at])/257 - float64(photo.Pix[4*at]); math.Abs(d) > 0.51 {
				t.Errorf("%v degrees, corner %d: the deep sample is %v levels off", degrees, i, d)
			}
		}
	}
}

func TestPictureCoversThePhoto(t *testing.T) {
	// Three bands, left to right; a square photo sees the middle of them.
	picture := &cutout.Photo{Width: 300, Height: 100, Pix: make([]uint8, 4*300*100)}
	for i := range 300 * 100 {
		band := i % 300 / 100
		picture.Pix[4*i+band], picture.Pix[4*i+3] = 255, 255
	}
	for _, side := range []int{1, 10, 100, 333} {
		photo := &cutout.Photo{Width: side, Height: side, Pix: make([]uint8, 4*side*side)}
		if err := compose.Picture(t.Context(), photo, picture); err != nil {
			t.Fatal(err)
		}
		if got := photo.Pix[4*(side/2*side+side/2):][:4]; !bytes.Equal(got, []uint8{0, 255, 0, 255}) {
			t.Errorf("%d pixels a side: the middle is %v", side, got)
		}
		if !photo.Opaque {
			t.Errorf("%d pixels a side: not opaque", side)
		}
	}
	if err := compose.Picture(t.Context(), card(4, 4, image.Rect(0, 0, 4, 4), red), &cutout.Photo{}); cutout.CodeOf(err) != cutout.Invalid {
		t.Errorf("an empty picture: %v", err)
	}
}

// A background never shows through what is opaque, and is all that shows through
// what is transparent.
func TestBackgroundsRespectAlpha(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		photo, _ := anyPhoto(t)
		before := bytes.Clone(photo.Pix)
		grey := &cutout.Photo{Width: 1, Height: 1, Pix: []uint8{77, 77, 77, 255}}
		if err := compose.Picture(context.Background(), photo, grey); err != nil {
			t.Fatal(err)
		}
		for i := range photo.Width * photo.Height {
			a := float64(before[4*i+3]) / 255
			for c := range 3 {
				want := float64(before[4*i+c])*a + 77*(1-a)
				if math.Abs(float64(photo.Pix[4*i+c])-want) > 0.51 {
					t.Fatalf("%v became %v", before[4*i:4*i+4], photo.Pix[4*i:4*i+4])
				}
			}
		}
	})
}

func TestBlurredLeavesTheSubjectOut(t *testing.T) {
	photo := card(900, 600, image.Rect(0, 0, 900, 600), color.NRGBA{R: 30, G: 90, B: 200, A: 255})
	alpha := &cutout.Mask{Width: 900, Height: 600, Pix: make([]uint8, 900*600)}
	for y := 200; y < 400; y++ {
		for x := 300; x < 600; x++ {
			copy(photo.Pix[4*(y*900+x):], []uint8{255, 255, 0})
			alpha.Pix[y*900+x] = 255
		}
	}
	got, err := compose.Blurred(t.Context(), photo, alpha, cutout.UsualBlur)
	if err != nil {
		t.Fatal(err)
	}
	if got.Width != 225 || got.Height != 150 {
		t.Fatalf("%dx%d", got.Width, got.Height)
	}
	beside := got.Pix[4*(75*225+72):][:4] // three cells left of the subject
	for c, want := range []float64{30, 90, 200, 255} {
		if math.Abs(float64(beside[c])-want) > 8 {
			t.Errorf("beside the subject it is %v", beside)
		}
	}
}

// The larger the amount, the wider an edge becomes.
func TestBlurHasAnAmount(t *testing.T) {
	photo := card(512, 256, image.Rect(0, 0, 512, 256), color.NRGBA{A: 255})
	for i := range 512 * 256 {
		if i%512 >= 256 {
			copy(photo.Pix[4*i:], []uint8{255, 255, 255})
		}
	}
	nothing := &cutout.Mask{Width: 512, Height: 256, Pix: make([]uint8, 512*256)}
	width := func(percent int) (n int) {
		blurred, err := compose.Blurred(t.Context(), photo, nothing, percent)
		if err != nil {
			t.Fatal(err)
		}
		for x := range blurred.Width {
			if level := blurred.Pix[4*(blurred.Height/2*blurred.Width+x)]; level > 12 && level < 243 {
				n++
			}
		}
		return n
	}
	if weak, usual, strong := width(10), width(cutout.UsualBlur), width(100); 3*weak > usual || 3*usual > 2*strong {
		t.Errorf("an edge is %d wide at 10 %%, %d at %d, %d at 100", weak, usual, cutout.UsualBlur, strong)
	}
}

func TestShadow(t *testing.T) {
	standing := image.Rect(200, 100, 400, 300)
	photo := deepen(card(600, 400, standing, red))
	before := bytes.Clone(photo.Pix)
	if err := compose.Shadow(t.Context(), photo, 0.5); err != nil {
		t.Fatal(err)
	}
	darkest, at := uint8(0), 0
	for i := range 600 * 400 {
		p, was := photo.Pix[4*i:4*i+4], before[4*i:4*i+4]
		if was[3] == 255 {
			if !bytes.Equal(p, was) {
				t.Fatalf("the subject changed from %v to %v", was, p)
			}
			continue
		}
		if p[0]|p[1]|p[2] != 0 {
			t.Fatalf("the shadow has colour %v", p)
		}
		if p[3] > darkest {
			darkest, at = p[3], i
		}
		if d := float64(photo.Deep[4*i+3])/257 - float64(p[3]); math.Abs(d) > 0.51 {
			t.Fatalf("the deep alpha is %v levels off", d)
		}
	}
	if x, y := at%600, at/600; darkest < 80 || darkest > 128 || y < 300 || y > 304 || x < 200 || x >= 400 {
		t.Errorf("it is darkest at %d, %d: %d", x, y, darkest)
	}
	if above := photo.Pix[4*(150*600+300)-4*110+3]; above != 0 {
		t.Errorf("a shadow of %d beside the subject's body", above)
	}
}

func TestShadowNeedsGround(t *testing.T) {
	for name, box := range map[string]image.Rectangle{
		"nothing": {}, "cut off below": image.Rect(10, 10, 40, 60), "all": image.Rect(0, 0, 60, 60),
	} {
		photo := card(60, 60, box, red)
		before := bytes.Clone(photo.Pix)
		if err := compose.Shadow(t.Context(), photo, 1); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(photo.Pix, before) {
			t.Errorf("%s: a shadow was drawn", name)
		}
	}
}

func TestOptionsOnExtremeShapes(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 20000}, {20000, 1}, {2, 3}} {
		for _, a := range []uint8{0, 1, 128, 255} {
			photo := card(size[0], size[1], image.Rect(0, 0, size[0], size[1]), color.NRGBA{R: 50, A: a})
			alpha := &cutout.Mask{Width: size[0], Height: size[1], Pix: bytes.Repeat([]uint8{a}, size[0]*size[1])}
			blurred, err := compose.Blurred(t.Context(), photo, alpha, cutout.UsualBlur)
			if err != nil {
				t.Fatal(err)
			}
			if err := compose.Shadow(t.Context(), photo, 1); err != nil {
				t.Fatal(err)
			}
			photo = cropped(t, photo, 0.1)
			if err := compose.Picture(t.Context(), photo, blurred); err != nil {
				t.Fatal(err)
			}
			for i := 3; i < len(photo.Pix); i += 4 {
				if photo.Pix[i] != 255 {
					t.Fatalf("%v, alpha %d: not opaque", size, a)
				}
			}
		}
	}
}

func bounds(t testing.TB, photo *cutout.Photo) image.Rectangle {
	t.Helper()
	box, err := compose.Bounds(t.Context(), photo)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func cropped(t testing.TB, photo *cutout.Photo, margin float64) *cutout.Photo {
	t.Helper()
	part, err := compose.Crop(t.Context(), photo, compose.Frame(photo, bounds(t, photo), margin))
	if err != nil {
		t.Fatal(err)
	}
	return part
}
