package compose_test

import (
	"image"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/cutout"
)

func TestSubjectsInFrames(t *testing.T) {
	original := image.Pt(400, 300)
	inside := image.Rect(100, 50, 200, 250) // 100x200
	standing := image.Rect(100, 100, 200, 300)
	for name, c := range map[string]struct {
		frame   cutout.Frame
		subject image.Rectangle
		want    image.Rectangle // of the subject
		width   int
		height  int
	}{
		"margins":                    {cutout.Frame{Margin: 0.1}, inside, image.Rect(20, 20, 120, 220), 140, 240},
		"a square":                   {cutout.Frame{Aspect: 1, Margin: 0.1}, inside, image.Rect(70, 20, 170, 220), 240, 240},
		"wide":                       {cutout.Frame{Aspect: 2, Margin: 0.1}, inside, image.Rect(190, 20, 290, 220), 480, 240},
		"a shop's":                   {cutout.Frame{Width: 2000, Height: 2000, Margin: 0.088}, inside, image.Rect(575, 150, 1425, 1850), 2000, 2000},
		"small":                      {cutout.Frame{Width: 12, Height: 24}, inside, image.Rect(0, 0, 12, 24), 12, 24},
		"one pixel":                  {cutout.Frame{Width: 1, Height: 1, Margin: 1}, inside, image.Rectangle{}, 1, 1},
		"cut off below":              {cutout.Frame{Aspect: 1, Margin: 0.1}, standing, image.Rect(60, 20, 160, 220), 220, 220},
		"cut off below, of a size":   {cutout.Frame{Width: 440, Height: 880, Margin: 0.1}, standing, image.Rect(63, 251, 377, 880), 440, 880},
		"no subject, the whole":      {cutout.Frame{Margin: 0.5}, image.Rectangle{}, image.Rect(0, 0, 400, 300), 400, 300},
		"no subject, and of a size":  {cutout.Frame{Width: 800, Height: 800, Margin: 0.5}, image.Rectangle{}, image.Rect(0, 200, 800, 800), 800, 800},
		"no subject, and its aspect": {cutout.Frame{Aspect: 2, Margin: 0.5}, image.Rectangle{}, image.Rect(100, 0, 500, 300), 600, 300},
	} {
		got := compose.Arrange(original, image.Rectangle{Max: original}, c.subject, &cutout.Layout{Frame: &c.frame})
		if got.Width != c.width || got.Height != c.height || got.Placed.Subject != c.want && !c.want.Empty() {
			t.Errorf("%s: %dx%d with the subject at %v", name, got.Width, got.Height, got.Placed.Subject)
		}
	}
}

// TestFramesOfAnyShape: what is placed lies within the photo and shows all of the
// subject that a canvas of whole pixels can.
func TestFramesOfAnyShape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.OneOf(rapid.SampledFrom([]int{1, 2, 300}), rapid.IntRange(1, 300))
		width, height := side.Draw(t, "width"), side.Draw(t, "height")
		if rapid.Bool().Draw(t, "a line") {
			width, height = 1, 32767
		}
		left, top := rapid.IntRange(0, width-1).Draw(t, "left"), rapid.IntRange(0, height-1).Draw(t, "top")
		subject := image.Rect(left, top, rapid.IntRange(left+1, width).Draw(t, "right"), rapid.IntRange(top+1, height).Draw(t, "bottom"))
		f := &cutout.Frame{Margin: rapid.SampledFrom([]float64{0, 0.088, 1}).Draw(t, "margin")}
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 1:
			f.Width, f.Height = rapid.IntRange(1, 400).Draw(t, "w"), rapid.IntRange(1, 400).Draw(t, "h")
		case 2:
			f.Aspect = rapid.SampledFrom([]float64{0.5, 1, 16.0 / 9}).Draw(t, "aspect")
		}
		a := compose.Arrange(image.Pt(width, height), image.Rect(0, 0, width, height), subject, &cutout.Layout{Frame: f})
		if a.Width*a.Height > 20e6 {
			t.Skip("refused by the limits")
		}
		photo := card(width, height, subject, red)
		placed, err := compose.Place(t.Context(), photo, a)
		if err != nil {
			t.Fatal(err)
		}
		if !a.Source.In(image.Rect(0, 0, width, height)) || len(placed.Pix) != 4*a.Width*a.Height {
			t.Fatalf("%+v of a photo of %dx%d", a, width, height)
		}
		shows := 0
		for i := 3; i < len(placed.Pix); i += 4 {
			if placed.Pix[i] > 0 {
				shows++
				if placed.Pix[i-3] != red.R || placed.Pix[i-2] != red.G {
					t.Fatalf("pixel %d is %v", i/4, placed.Pix[i-3:i+1])
				}
			}
		}
		if want := a.Placed.Subject; want.Dx()*want.Dy() > 0 && shows < want.Dx()*want.Dy()/2 {
			t.Fatalf("%d pixels show of a subject at %v in %dx%d", shows, want, a.Width, a.Height)
		}
		// Without scaling, every pixel of the subject is there, as it was.
		if f.Width == 0 && shows != subject.Dx()*subject.Dy() {
			t.Fatalf("%d pixels show of %v, in %+v", shows, subject, a)
		}
	})
}

// TestPlacingKeepsSixteenBits, scaled and not.
func TestPlacingKeepsSixteenBits(t *testing.T) {
	photo := card(40, 30, image.Rect(10, 10, 30, 20), red)
	photo.Deep = make([]uint16, len(photo.Pix))
	for i := range photo.Deep {
		if photo.Deep[i] = uint16(photo.Pix[i]) * 257; photo.Pix[i|3] > 0 && i&3 != 3 {
			photo.Deep[i] = 12345
		}
	}
	for _, f := range []cutout.Frame{{Margin: 0.5}, {Width: 20, Height: 11, Margin: 0.1}} {
		a := compose.Arrange(image.Pt(40, 30), image.Rect(0, 0, 40, 30), image.Rect(10, 10, 30, 20), &cutout.Layout{Frame: &f})
		placed, err := compose.Place(t.Context(), photo, a)
		if err != nil {
			t.Fatal(err)
		}
		i := 4 * (a.Height/2*a.Width + a.Width/2)
		if p := placed.Deep[i:][:4]; p[0] != 12345 || p[3] != 65535 || len(placed.Deep) != len(placed.Pix) {
			t.Errorf("%+v: %v", f, p)
		}
	}
}

// TestFaintRemainsDoNotMoveASubject out of the middle of its frame.
func TestFaintRemainsDoNotMoveASubject(t *testing.T) {
	photo := card(100, 50, image.Rect(40, 10, 60, 30), red)
	photo.Pix[4*(49*100+99)+3] = 100 // faint, in the corner
	if body, err := compose.Body(t.Context(), photo); err != nil || body != image.Rect(40, 10, 60, 30) {
		t.Errorf("the body is %v, %v", body, err)
	}
	faint := card(100, 50, image.Rectangle{}, red)
	faint.Pix[3], faint.Pix[4*105+3] = 100, 100 // glass, say
	if body, err := compose.Body(t.Context(), faint); err != nil || body != image.Rect(0, 0, 6, 2) {
		t.Errorf("of faint pixels alone the body is %v, %v", body, err)
	}
}
