package cutout_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
)

func TestParseFrame(t *testing.T) {
	for name, c := range map[string]struct {
		aspect, size, margin string
		crop                 string
		want                 *cutout.Frame // nil with an error
		says                 string
	}{
		"none":                {},
		"a crop alone":        {crop: "10"},
		"an aspect":           {aspect: "4:5", want: &cutout.Frame{Aspect: 0.8, Margin: 0.088}},
		"an aspect of parts":  {aspect: "1.91:1", want: &cutout.Frame{Aspect: 1.91, Margin: 0.088}},
		"a size":              {size: "2000x1000", want: &cutout.Frame{Width: 2000, Height: 1000, Margin: 0.088}},
		"a size in capitals":  {size: "20X10", want: &cutout.Frame{Width: 20, Height: 10, Margin: 0.088}},
		"the margin of crop":  {size: "1x1", crop: "10", want: &cutout.Frame{Width: 1, Height: 1, Margin: 0.1}},
		"a margin of its own": {size: "1x1", margin: "0", crop: "10", want: &cutout.Frame{Width: 1, Height: 1}},
		"a margin alone":      {margin: "100", want: &cutout.Frame{Margin: 1}},
		"both":                {aspect: "1:1", size: "1x1", says: "leave one of them out"},
		"no size":             {size: "2000", says: "such as 2000x2000"},
		"no height":           {size: "2000x", says: "such as 2000x2000"},
		"nothing in it":       {size: "0x10", says: "such as 2000x2000"},
		"less than nothing":   {size: "-5x10", says: "such as 2000x2000"},
		"beyond all":          {size: "9999999x1", says: "such as 2000x2000"},
		"three numbers":       {size: "1x2x3", says: "such as 2000x2000"},
		"no aspect":           {aspect: "wide", says: "such as 1:1"},
		"half an aspect":      {aspect: "4:", says: "such as 1:1"},
		"an endless aspect":   {aspect: "1:0", says: "such as 1:1"},
		"not a number":        {aspect: "NaN:1", says: "such as 1:1"},
		"infinite":            {aspect: "Inf:Inf", says: "such as 1:1"},
		"far too wide":        {aspect: "1001:1", says: "such as 1:1"},
		"too much margin":     {margin: "101", says: "from 0 to 100"},
	} {
		o, err := cutout.ParseOptions(map[string]string{"aspect": c.aspect, "size": c.size, "margin": c.margin, "crop": c.crop}, true)
		var got *cutout.Frame
		if o.Layout != nil {
			got = o.Layout.Frame
		}
		switch {
		case c.says != "":
			if cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(cutout.MessageOf(err), c.says) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil || fmt.Sprint(got) != fmt.Sprint(c.want):
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func anyFrame(t *rapid.T) *cutout.Frame {
	f := &cutout.Frame{Margin: rapid.SampledFrom([]float64{0, 0.01, 0.088, 0.5, 1}).Draw(t, "margin")}
	side := rapid.SampledFrom([]int{1, 2, 7, 1000, 2000, 32767})
	switch rapid.IntRange(0, 2).Draw(t, "kind") {
	case 1:
		f.Width, f.Height = side.Draw(t, "width"), side.Draw(t, "height")
	case 2:
		f.Aspect = rapid.SampledFrom([]float64{0.001, 0.8, 1, 16.0 / 9, 1000}).Draw(t, "aspect")
	}
	return f
}

// TestASubjectFitsItsCanvas with its margins, whatever the shapes.
func TestASubjectFitsItsCanvas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFrame(t)
		side := rapid.OneOf(rapid.SampledFrom([]int{1, 2, 32767}), rapid.IntRange(1, 5000))
		sw, sh := float64(side.Draw(t, "subject's width")), float64(side.Draw(t, "subject's height"))
		cutOff := rapid.Bool().Draw(t, "cut off")
		w, h, scale := f.Canvas(sw, sh, cutOff)
		grow := f.Margin * max(sw, sh) * scale
		below := grow
		if cutOff {
			below = 0
		}
		switch {
		case w < 1 || h < 1 || scale <= 0:
			t.Fatalf("%vx%v, %v", w, h, scale)
		case sw*scale+2*grow > w+1 || sh*scale+grow+below > h+1:
			t.Fatalf("a subject of %vx%v does not fit %vx%v", sw*scale, sh*scale, w, h)
		case f.Width > 0 && (w != float64(f.Width) || h != float64(f.Height)):
			t.Fatalf("%vx%v", w, h)
		case f.Width == 0 && scale != 1:
			t.Fatalf("scaled by %v", scale)
		case f.Aspect > 0 && min(w, h) > 50 && math.Abs(w/h/f.Aspect-1) > 0.02:
			t.Fatalf("%vx%v instead of %v", w, h, f.Aspect)
		}
		if err := f.Check(w, h, 32767, 50e6); (err != nil) != (max(w, h) > 32767 || w*h > 50e6) {
			t.Fatal(err)
		}
	})
}
