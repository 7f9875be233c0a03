package pipeline_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/pipeline"
)

// A layout places what was found; the subject is the middle half of what the model
// sees, which with a region is the region.
func TestLayouts(t *testing.T) {
	photo := filled(t, 320, 240, green) // the subject is 160x120 at (80, 60)
	px := func(n float64) cutout.Length { return cutout.Length{Value: n} }
	half := &cutout.Region{Left: px(0), Top: px(0), Right: cutout.Length{Value: 50, Percent: true}, Bottom: px(240)} // its middle is (40,60)-(120,180)
	for name, c := range map[string]struct {
		options          cutout.Options
		width, height    int
		subject          image.Rectangle
		fullW, fullH     int
		corner, opposite color.NRGBA
	}{
		"nothing": {options: cutout.Options{Layout: &cutout.Layout{}}, width: 320, height: 240, subject: image.Rect(80, 60, 240, 180)},
		"small":   {options: cutout.Options{Layout: &cutout.Layout{MaxPixels: 160 * 120}}, width: 160, height: 120, subject: image.Rect(40, 30, 120, 90), fullW: 320, fullH: 240},
		"cropped": {options: cutout.Options{Layout: &cutout.Layout{Crop: true, Margins: [4]cutout.Length{px(10), px(100), px(10), px(10)}}}, width: 270, height: 140, subject: image.Rect(10, 10, 170, 130)},
		"on blue": {options: cutout.Options{Background: cutout.Plain(blue), Layout: &cutout.Layout{Crop: true, Margins: [4]cutout.Length{px(200), px(10), px(10), px(10)}}},
			width: 180, height: 330, subject: image.Rect(10, 200, 170, 320), corner: blue, opposite: blue},
		"scaled, above":             {options: cutout.Options{Layout: &cutout.Layout{Scale: 0.5, Position: &[2]float64{0.5, 0}}}, width: 320, height: 240, subject: image.Rect(80, 0, 240, 120)},
		"on a picture":              {options: cutout.Options{Background: &cutout.Background{Picture: filled(t, 50, 80, blue)}, Layout: &cutout.Layout{MaxPixels: 160 * 120}}, width: 160, height: 120, subject: image.Rect(40, 30, 120, 90), fullW: 320, fullH: 240, corner: blue, opposite: blue},
		"translucent":               {options: cutout.Options{Background: cutout.Plain(color.NRGBA{R: 9, G: 8, B: 200, A: 100}), Layout: &cutout.Layout{}}, width: 320, height: 240, subject: image.Rect(80, 60, 240, 180), corner: color.NRGBA{R: 9, G: 8, B: 200, A: 100}, opposite: color.NRGBA{R: 9, G: 8, B: 200, A: 100}},
		"a margin":                  {options: framedBy(cutout.Frame{Margin: 0.1}, cutout.Options{Background: cutout.Plain(blue)}), width: 192, height: 152, subject: image.Rect(16, 16, 176, 136), corner: blue, opposite: blue},
		"a square beyond the photo": {options: framedBy(cutout.Frame{Aspect: 1, Margin: 1}, cutout.Options{Background: &cutout.Background{Blur: cutout.UsualBlur}}), width: 480, height: 480, subject: image.Rect(160, 180, 320, 300), corner: green, opposite: green},
		"a size, larger":            {options: framedBy(cutout.Frame{Width: 600, Height: 500, Margin: 0.125}, cutout.Options{Background: &cutout.Background{Picture: filled(t, 5000, 40, blue)}}), width: 600, height: 500, subject: image.Rect(60, 70, 540, 430), corner: blue, opposite: blue},
		"a size, of a gradient":     {options: framedBy(cutout.Frame{Width: 100, Height: 300}, cutout.Options{Background: &cutout.Background{From: blue, To: green, Degrees: 180}}), width: 100, height: 300, subject: image.Rect(0, 112, 100, 187), corner: blue, opposite: green},
		"a frame in a region":       {options: framedBy(cutout.Frame{Aspect: 1}, cutout.Options{Region: half, Edges: cutout.Raw}), width: 120, height: 120, subject: image.Rect(20, 0, 100, 120)},
		"no frame for masks":        {options: framedBy(cutout.Frame{Width: 10, Height: 10}, cutout.Options{Output: cutout.Matte}), width: 320, height: 240, corner: color.NRGBA{A: 255}, opposite: color.NRGBA{A: 255}},
		"a region":                  {options: cutout.Options{Region: half}, width: 320, height: 240, subject: image.Rect(40, 60, 120, 180)},
		"region, crop":              {options: cutout.Options{Region: half, Edges: cutout.Raw, Layout: &cutout.Layout{Crop: true, Margins: [4]cutout.Length{px(30), px(30), px(30), px(30)}}}, width: 142, height: 184, subject: image.Rect(30, 30, 112, 154)},
		"hard edges":                {options: cutout.Options{Edges: cutout.Hard, Layout: &cutout.Layout{}}, width: 320, height: 240, subject: image.Rect(80, 60, 240, 180)},
		"the mask":                  {options: cutout.Options{Output: cutout.Matte, Shadow: 1, Background: cutout.Plain(blue), Layout: &cutout.Layout{MaxPixels: 160 * 120}}, width: 160, height: 120, subject: image.Rect(40, 30, 120, 90), fullW: 320, fullH: 240, corner: color.NRGBA{A: 255}, opposite: color.NRGBA{A: 255}},
	} {
		result, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: photo, Options: c.options})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := pictureOf(t, result)
		if c.fullW == 0 {
			c.fullW, c.fullH = c.width, c.height
		}
		p := result.Placed
		if p == nil && name == "no frame for masks" {
			p = &cutout.Placed{Subject: image.Rect(80, 60, 240, 180), FullWidth: c.fullW, FullHeight: c.fullH}
			c.subject = p.Subject
		}
		if size := got.Bounds().Size(); size != image.Pt(c.width, c.height) || size != image.Pt(result.Width, result.Height) || p.FullWidth != c.fullW || p.FullHeight != c.fullH {
			t.Errorf("%s: %v, said to be %dx%d, %+v", name, size, result.Width, result.Height, p)
		}
		// Its edge is soft, so that the subject may reach a little further.
		if !p.Subject.In(c.subject.Inset(-4)) || !c.subject.Inset(4).In(p.Subject) {
			t.Errorf("%s: the subject lies at %v, want %v", name, p.Subject, c.subject)
		}
		if a, b := at(got, 0, 0), at(got, c.width-1, c.height-1); !near(a, c.corner) || !near(b, c.opposite) {
			t.Errorf("%s: the corners are %v and %v", name, a, b)
		}
		middle := p.Subject.Min.Add(p.Subject.Max).Div(2)
		if c := at(got, middle.X, middle.Y); c.A < 250 || c.R < 200 && c.G < 190 {
			t.Errorf("%s: the subject is %v", name, c)
		}
	}
	for name, o := range map[string]cutout.Options{
		"of a size":     {Layout: &cutout.Layout{Frame: &cutout.Frame{Width: 2048, Height: 1024}}},
		"by its margin": {Layout: &cutout.Layout{Frame: &cutout.Frame{Aspect: 100}}},
	} {
		_, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: photo, Options: o})
		if cutout.CodeOf(err) != cutout.TooManyPixels || !strings.Contains(cutout.MessageOf(err), "The frame would have") {
			t.Errorf("a frame too large, %s: %v", name, err)
		}
	}
	outside := &cutout.Region{Right: px(321), Bottom: px(1)}
	if _, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: photo, Options: cutout.Options{Region: outside}}); !errors.Is(err, cutout.ErrRegionOutside) {
		t.Errorf("a region outside: %v", err)
	}
	// Points are places in the photo, not in the region.
	for x, code := range map[float64]cutout.Code{10: "", 300: cutout.Invalid} {
		_, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: photo, Options: cutout.Options{Region: half, Keep: []cutout.Point{{X: x, Y: 100}}}})
		if cutout.CodeOf(err) != code {
			t.Errorf("a point at %v: %v", x, err)
		}
	}
}

func framedBy(f cutout.Frame, o cutout.Options) cutout.Options {
	o.Layout = &cutout.Layout{Frame: &f}
	return o
}

// wide finds a subject that all but fills the photo.
type wide struct{ square }

func (w wide) Acquire(context.Context, string, string) (cutout.Lease, error) { return w, nil }

func (wide) Segment(_ context.Context, in *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	m := &cutout.Mask{Width: in.Width, Height: in.Height, Pix: make([]uint8, in.Width*in.Height)}
	for i := range m.Pix {
		if x, y := i%in.Width, i/in.Width; min(x, y, in.Width-1-x, in.Height-1-y) >= in.Width/40 {
			m.Pix[i] = 255
		}
	}
	return m, cutout.Run{}, nil
}

// The photo ends close to the subject; on a canvas that reaches further, its shadow
// does too.
func TestShadowsReachBeyondThePhoto(t *testing.T) {
	p := pipeline.New(wide{}, pipeline.NewQueue(1, 1), 64<<20, pipeline.Settings{
		Decode: decode.Limits{MaxPixels: 1 << 20, MaxMemory: 64 << 20}, Mode: cutout.Fast, Timeout: time.Minute,
	})
	result, err := p.Remove(t.Context(), cutout.Job{Upload: filled(t, 320, 240, green), Options: framedBy(cutout.Frame{Margin: 0.3}, cutout.Options{Shadow: 1})})
	if err != nil {
		t.Fatal(err)
	}
	got := pictureOf(t, result)
	s := result.Placed.Subject
	photo := image.Rect(s.Min.X-8, s.Min.Y-6, s.Max.X+8, s.Max.Y+6) // where it lies on the canvas
	for name, place := range map[string]image.Point{"below": {(s.Min.X + s.Max.X) / 2, photo.Max.Y + 3}, "beside": {photo.Min.X - 4, s.Max.Y}} {
		if c := at(got, place.X, place.Y); c.A < 8 || c.R > 40 {
			t.Errorf("%s the photo there is %v", name, c)
		}
	}
}

// Sixteen bits stay sixteen in a frame, scaled or not.
func TestFramesKeepSixteenBits(t *testing.T) {
	deep := image.NewNRGBA64(image.Rect(0, 0, 64, 48))
	for i := range 64 * 48 {
		deep.SetNRGBA64(i%64, i/64, color.NRGBA64{R: uint16(0x8000 + i), G: 0x1234, B: 0x4321, A: 0xffff})
	}
	var file bytes.Buffer
	if err := png.Encode(&file, deep); err != nil {
		t.Fatal(err)
	}
	for _, f := range []cutout.Frame{{Margin: 0.2}, {Width: 100, Height: 100, Margin: 0.1}} {
		result, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: file.Bytes(), Options: framedBy(f, cutout.Options{Depth: 16, Edges: cutout.Raw})})
		if err != nil {
			t.Fatal(err)
		}
		got := pictureOf(t, result)
		b := got.Bounds().Max
		if c, ok := got.At(b.X/2, b.Y/2).(color.NRGBA64); !ok || c.G != 0x1234 || c.B != 0x4321 {
			t.Errorf("%+v: %v", f, got.At(b.X/2, b.Y/2))
		}
	}
}

// Colours and alpha apart make up the cut-out again, and no background shows in the
// colours.
func TestZIPs(t *testing.T) {
	result, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: filled(t, 320, 240, green), Options: cutout.Options{Format: cutout.ZIP, Layout: &cutout.Layout{MaxPixels: 160 * 120}}})
	if err != nil || result.MediaType != "application/zip" {
		t.Fatal(result, err)
	}
	archive, err := zip.NewReader(bytes.NewReader(result.File), int64(len(result.File)))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]image.Image{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if parts[f.Name], _, err = image.Decode(bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	for y := range 120 {
		for x := range 160 {
			c, alpha := at(parts["color.jpg"], x, y), at(parts["alpha.png"], x, y).R
			if inside := image.Pt(x, y).In(image.Rect(44, 34, 116, 86)); !near(c, red) || inside && alpha != 255 {
				t.Fatal(fmt.Sprint(x, y, c, alpha))
			}
		}
	}
}
