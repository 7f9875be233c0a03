package compose_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/cutout"
)

func px(n float64) cutout.Length      { return cutout.Length{Value: n} }
func percent(n float64) cutout.Length { return cutout.Length{Value: n, Percent: true} }

func TestArrange(t *testing.T) {
	subject := image.Rect(50, 20, 90, 80) // 40x60 in 200x100
	for name, c := range map[string]struct {
		layout cutout.Layout
		at     image.Rectangle
		want   string // size, source, target, subject, full size
	}{
		"nothing":            {want: "200x100 (0,0)-(200,100) (0,0)-(200,100) (50,20)-(90,80) 200x100"},
		"half the side":      {layout: cutout.Layout{MaxPixels: 5000}, want: "100x50 (0,0)-(200,100) (0,0)-(100,50) (25,10)-(45,40) 200x100"},
		"a crop":             {layout: cutout.Layout{Crop: true}, want: "40x60 (50,20)-(90,80) (0,0)-(40,60) (0,0)-(40,60) 40x60"},
		"with a margin":      {layout: cutout.Layout{Crop: true, Margins: [4]cutout.Length{px(1), px(2), px(3), px(4)}}, want: "46x64 (46,19)-(92,83) (0,0)-(46,64) (4,1)-(44,61) 46x64"},
		"in per cent":        {layout: cutout.Layout{Crop: true, Margins: [4]cutout.Length{percent(50), percent(10), percent(50), percent(10)}}, want: "48x120 (46,0)-(94,100) (0,10)-(48,110) (4,30)-(44,90) 48x120"},
		"margin, no crop":    {layout: cutout.Layout{Margins: [4]cutout.Length{px(9)}}, want: "200x100 (0,0)-(200,100) (0,0)-(200,100) (50,20)-(90,80) 200x100"},
		"centred":            {layout: cutout.Layout{Position: &[2]float64{0.5, 0.5}}, want: "200x100 (0,0)-(170,100) (30,0)-(200,100) (80,20)-(120,80) 200x100"},
		"right, top":         {layout: cutout.Layout{Position: &[2]float64{1, 0}}, want: "200x100 (0,20)-(90,100) (110,0)-(200,80) (160,0)-(200,60) 200x100"},
		"as high as it fits": {layout: cutout.Layout{Scale: 1, Position: &[2]float64{0.5, 0.5}}, want: "200x100 (10,20)-(130,80) (0,0)-(200,100) (67,0)-(133,100) 200x100"},
		"smaller, in place":  {layout: cutout.Layout{Scale: 0.3}, want: "200x100 (0,0)-(200,100) (35,25)-(135,75) (60,35)-(80,65) 200x100"},
		"cropped and scaled": {layout: cutout.Layout{Crop: true, Scale: 0.5, Position: &[2]float64{0, 0}}, want: "40x60 (50,20)-(130,100) (0,0)-(40,40) (0,0)-(20,30) 40x60"},
		"part of the photo":  {at: image.Rect(40, 10, 100, 90), want: "200x100 (0,0)-(60,80) (40,10)-(100,90) (50,20)-(90,80) 200x100"},
		"part, cropped":      {layout: cutout.Layout{Crop: true, Margins: [4]cutout.Length{px(20), px(20), px(20), px(20)}}, at: image.Rect(40, 10, 100, 90), want: "80x100 (0,0)-(60,80) (10,10)-(70,90) (20,20)-(60,80) 80x100"},
	} {
		at := c.at
		if at.Empty() {
			at = image.Rect(0, 0, 200, 100)
		}
		a := compose.Arrange(image.Pt(200, 100), at, subject, &c.layout)
		got := fmt.Sprintf("%dx%d %v %v %v %dx%d", a.Width, a.Height, a.Source, a.Target, a.Placed.Subject, a.Placed.FullWidth, a.Placed.FullHeight)
		if got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
	whole := cutout.Layout{Crop: true, Scale: 0.5, Position: &[2]float64{0, 0}}
	if a := compose.Arrange(image.Pt(200, 100), image.Rect(0, 0, 200, 100), image.Rectangle{}, &whole); a.Width != 200 || a.Target != image.Rect(0, 0, 200, 100) {
		t.Errorf("without a subject: %+v", a)
	}
}

// Whatever is asked for: the result is within its bound, the parts lie within their
// wholes and drawing it neither fails nor allocates more than the result.
func TestArrangeAnything(t *testing.T) {
	length := rapid.Custom(func(t *rapid.T) cutout.Length {
		return cutout.Length{Value: rapid.Float64Range(0, 500).Draw(t, "length"), Percent: rapid.Bool().Draw(t, "percent")}
	})
	box := func(t *rapid.T, in image.Rectangle, name string) image.Rectangle {
		x := rapid.IntRange(in.Min.X, in.Max.X-1).Draw(t, name+" x")
		y := rapid.IntRange(in.Min.Y, in.Max.Y-1).Draw(t, name+" y")
		return image.Rect(x, y, rapid.IntRange(x+1, in.Max.X).Draw(t, name+" right"), rapid.IntRange(y+1, in.Max.Y).Draw(t, name+" bottom"))
	}
	rapid.Check(t, func(t *rapid.T) {
		original := image.Pt(rapid.IntRange(1, 300).Draw(t, "width"), rapid.IntRange(1, 300).Draw(t, "height"))
		if rapid.Bool().Draw(t, "extreme") {
			original.X, original.Y = rapid.IntRange(1, 30_000).Draw(t, "wide"), rapid.IntRange(1, 3).Draw(t, "low")
		}
		at := box(t, image.Rectangle{Max: original}, "at")
		subject := box(t, at, "subject")
		l := &cutout.Layout{Crop: rapid.Bool().Draw(t, "crop"), MaxPixels: rapid.IntRange(1, 50_000).Draw(t, "most")}
		for i := range l.Margins {
			l.Margins[i] = length.Draw(t, "margin")
		}
		if rapid.Bool().Draw(t, "scaled") {
			l.Scale = rapid.Float64Range(0.1, 1).Draw(t, "scale")
		}
		if rapid.Bool().Draw(t, "positioned") {
			l.Position = &[2]float64{rapid.Float64Range(0, 1).Draw(t, "left"), rapid.Float64Range(0, 1).Draw(t, "top")}
		}
		a := compose.Arrange(original, at, subject, l)
		if a.Width < 1 || a.Height < 1 || a.Width*a.Height > l.MaxPixels {
			t.Fatalf("%dx%d, at most %d", a.Width, a.Height, l.MaxPixels)
		}
		if !a.Source.In(image.Rect(0, 0, at.Dx(), at.Dy())) || !a.Placed.Subject.In(image.Rect(0, 0, a.Width, a.Height)) {
			t.Fatalf("%+v", a)
		}
		photo := card(at.Dx(), at.Dy(), subject.Sub(at.Min), red)
		got, err := compose.Place(context.Background(), photo, a)
		if err != nil || got.Width != a.Width || got.Height != a.Height || len(got.Pix) != 4*a.Width*a.Height {
			t.Fatalf("%dx%d of %+v, %v", got.Width, got.Height, a, err)
		}
		// A colour stays as it is, however it is scaled: alpha weighs it.
		for i := 0; i < len(got.Pix); i += 4 {
			if p := got.Pix[i:][:4]; p[3] > 8 && (p[0] < red.R-2 || p[0] > red.R+2 || p[1] > red.G+2) {
				t.Fatalf("pixel %d is %v", i/4, p)
			}
		}
	})
}

func TestPlaceScales(t *testing.T) {
	photo := card(100, 60, image.Rect(20, 10, 60, 50), red)
	photo.Deep = make([]uint16, len(photo.Pix))
	a := compose.Arrange(image.Pt(100, 60), image.Rect(0, 0, 100, 60), image.Rect(20, 10, 60, 50), &cutout.Layout{MaxPixels: 1500})
	got, err := compose.Place(t.Context(), photo, a)
	if err != nil || got.Width != 50 || got.Height != 30 || len(got.Deep) != len(got.Pix) {
		t.Fatalf("%dx%d, %v", got.Width, got.Height, err)
	}
	for i := range 50 * 30 {
		p, where := got.Pix[4*i:][:4], image.Pt(i%50, i/50)
		inside, outside := where.In(image.Rect(11, 6, 29, 24)), !where.In(image.Rect(9, 4, 31, 26))
		if inside && !bytes.Equal(p, []uint8{red.R, red.G, red.B, 255}) || outside && p[3] != 0 {
			t.Fatalf("half the size: %v is %v", where, p)
		}
	}
	same, err := compose.Place(t.Context(), photo, compose.Arrange(image.Pt(100, 60), image.Rect(0, 0, 100, 60), image.Rect(20, 10, 60, 50), &cutout.Layout{}))
	if err != nil || same != photo {
		t.Error("where nothing changes, it is not the photo itself")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := compose.Place(ctx, photo, a); err == nil {
		t.Error("the context's end is not noticed")
	}
}

func TestTint(t *testing.T) {
	for name, c := range map[string]struct{ over, under, want color.NRGBA }{
		"opaque over anything":   {red, color.NRGBA{B: 255, A: 128}, red},
		"nothing over half":      {color.NRGBA{}, color.NRGBA{B: 200, A: 128}, color.NRGBA{B: 200, A: 128}},
		"half over half":         {color.NRGBA{R: 255, A: 128}, color.NRGBA{B: 255, A: 128}, color.NRGBA{R: 170, B: 85, A: 192}},
		"half over all":          {color.NRGBA{R: 255, A: 128}, color.NRGBA{B: 255, A: 255}, color.NRGBA{R: 128, B: 127, A: 255}},
		"something over nothing": {color.NRGBA{R: 255, A: 100}, color.NRGBA{B: 255}, color.NRGBA{R: 255, A: 100}},
	} {
		photo := card(3, 2, image.Rect(0, 0, 3, 2), c.over)
		photo = deepen(photo)
		if err := compose.Tint(t.Context(), photo, c.under); err != nil {
			t.Fatal(err)
		}
		want := []uint8{c.want.R, c.want.G, c.want.B, c.want.A}
		for i, got := range photo.Pix[:4] {
			if d := int(got) - int(want[i]); d < -1 || d > 1 {
				t.Errorf("%s: %v, want %v", name, photo.Pix[:4], want)
			}
			if d := int(photo.Deep[i]) - 257*int(want[i]); d < -300 || d > 300 {
				t.Errorf("%s: deep %v, want %v", name, photo.Deep[:4], want)
			}
		}
	}
}

// Colours go on beyond the subject, and what is visible stays as it is.
func TestSpread(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {3, 1}, {300, 200}, {1500, 1200}} {
		whole := image.Rectangle{Max: size}
		photo := card(size.X, size.Y, whole.Inset(min(size.X, size.Y)/3), red)
		before := bytes.Clone(photo.Pix)
		if err := compose.Spread(t.Context(), photo); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(before); i += 4 {
			was, is := before[i:][:4], photo.Pix[i:][:4]
			if was[3] > 0 && !bytes.Equal(was, is) || is[3] != was[3] || is[0] != red.R || is[1] != red.G || is[2] != red.B {
				t.Fatalf("%v: pixel %d was %v and is %v", size, i/4, was, is)
			}
		}
	}
	empty := card(10, 10, image.Rectangle{}, red)
	if err := compose.Spread(t.Context(), empty); err != nil || empty.Pix[0] != 255 {
		t.Errorf("without a subject: %v, %v", empty.Pix[:4], err)
	}
}
