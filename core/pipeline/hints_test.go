package pipeline_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"bgremover.pro/core/correct"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
)

// hints is a picture of them: a stroke of one colour over a transparent ground.
func hints(t *testing.T, width, height int, stroke image.Rectangle, c color.NRGBA) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := stroke.Min.Y; y < stroke.Max.Y; y++ {
		for x := stroke.Min.X; x < stroke.Max.X; x++ {
			img.SetNRGBA(x, y, c)
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// A picture of hints corrects as points do; what is wrong with one is an error that
// says so, and one that says nothing changes nothing.
func TestHintsCorrect(t *testing.T) {
	photo := filled(t, 320, 240, green)
	keep, drop := color.NRGBA{G: 220, A: 255}, color.NRGBA{R: 220, A: 255}
	faint, grey := color.NRGBA{G: 220, A: 60}, color.NRGBA{R: 150, G: 160, B: 150, A: 255}
	corner, middle, hair := image.Rect(4, 8, 40, 12), image.Rect(150, 118, 170, 122), image.Rect(8, 10, 60, 11)
	for name, c := range map[string]struct {
		hints        []byte
		code         cutout.Code
		middle, edge bool
	}{
		"nothing":         {nil, "", true, false},
		"keep":            {hints(t, 320, 240, corner, keep), "", true, true},
		"remove":          {hints(t, 320, 240, middle, drop), "", false, false},
		"half the size":   {hints(t, 160, 120, image.Rect(75, 59, 85, 61), drop), "", false, false},
		"three times it":  {hints(t, 960, 720, image.Rect(450, 360, 510, 361), drop), "", false, false},
		"a thin line":     {hints(t, 320, 240, hair, keep), "", true, true},
		"all keep":        {hints(t, 320, 240, image.Rect(0, 0, 320, 240), keep), "", true, true},
		"all remove":      {hints(t, 320, 240, image.Rect(0, 0, 320, 240), drop), "", false, false},
		"faint":           {hints(t, 320, 240, middle, faint), "", true, false},
		"neither colour":  {hints(t, 320, 240, middle, grey), "", true, false},
		"another shape":   {hints(t, 320, 320, corner, keep), cutout.Invalid, false, false},
		"no picture":      {[]byte("no picture"), cutout.UnsupportedFormat, false, false},
		"too many pixels": {hints(t, 2000, 1500, corner, keep), cutout.TooManyPixels, false, false},
	} {
		job := cutout.Job{Upload: photo, Options: cutout.Options{Hints: c.hints, Output: cutout.Matte, Edges: cutout.Raw}}
		result, err := line(64<<20).Remove(t.Context(), job)
		if cutout.CodeOf(err) != c.code || err != nil && !strings.Contains(cutout.MessageOf(err), "hints") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		matte := pictureOf(t, result)
		if middle, edge := at(matte, 160, 120).R > 128, at(matte, 16, 10).R > 128; middle != c.middle || edge != c.edge {
			t.Errorf("%s: the square is subject: %v, the ground: %v", name, middle, edge)
		}
	}
}

// Hints that say nothing, and none, give the same file.
func TestWithoutHintsTheSameFile(t *testing.T) {
	photo := filled(t, 320, 240, green)
	var files [][]byte
	for _, options := range []cutout.Options{{}, {Hints: hints(t, 320, 240, image.Rectangle{}, green)}} {
		result, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: photo, Options: options})
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, result.File)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two files")
	}
}

// Outside a box there is no subject, and what is inside comes back in its place.
func TestABoxBoundsTheSubject(t *testing.T) {
	photo := filled(t, 320, 240, green)
	for name, c := range map[string]struct {
		box  string
		code cutout.Code
	}{
		"half of it": {"0,0,50%,240", ""}, "in per cent": {"0%,0%,50%,100%", ""},
		"beyond the edge": {"100,60,1000,1000", cutout.Invalid}, "empty": {"60,40,60,200", cutout.Invalid},
	} {
		box, err := cutout.ParseBox(c.box)
		if err != nil {
			t.Fatal(err)
		}
		job := cutout.Job{Upload: photo, Options: cutout.Options{Region: box, Output: cutout.Matte}}
		result, err := line(64<<20).Remove(t.Context(), job)
		if cutout.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		matte := pictureOf(t, result)
		if matte.Bounds() != image.Rect(0, 0, 320, 240) || at(matte, 80, 120).R < 250 || at(matte, 200, 120).R > 0 {
			t.Errorf("%s: %v, inside %d, outside %d", name, matte.Bounds(), at(matte, 80, 120).R, at(matte, 200, 120).R)
		}
	}
}

// The line makes of hints what a session on a page makes of the strokes that they show.
func TestHintsAreStrokes(t *testing.T) {
	photo := filled(t, 320, 240, green)
	decoded, err := decode.Decode(t.Context(), photo, decode.Limits{}, false)
	if err != nil {
		t.Fatal(err)
	}
	strokes := []correct.Stroke{
		{Keep: true, Points: []correct.Point{{X: 0.05, Y: 0.05, Radius: 0.02}, {X: 0.3, Y: 0.05, Radius: 0.03}}},
		{Points: []correct.Point{{X: 0.5, Y: 0.4, Radius: 0.02}}},
	}
	drawn := image.NewNRGBA(image.Rect(0, 0, 320, 240))
	for i, seed := range correct.Seeds(320, 240, strokes).Pix {
		drawn.SetNRGBA(i%320, i/320, map[cutout.Seed]color.NRGBA{cutout.Keep: {G: 255, A: 255}, cutout.Remove: {R: 255, A: 255}}[seed])
	}
	var file bytes.Buffer
	if err := png.Encode(&file, drawn); err != nil {
		t.Fatal(err)
	}
	matte := func(hints []byte) []uint8 {
		result, err := line(64<<20).Remove(t.Context(), cutout.Job{Upload: photo, Options: cutout.Options{Hints: hints, Output: cutout.Matte}})
		if err != nil {
			t.Fatal(err)
		}
		img := pictureOf(t, result)
		return img.(*image.Gray).Pix
	}
	first := matte(nil)
	session, err := correct.Open(t.Context(), decoded, &cutout.Mask{Width: 320, Height: 240, Pix: first})
	if err != nil {
		t.Fatal(err)
	}
	want, err := session.Finish(t.Context(), strokes)
	if err != nil {
		t.Fatal(err)
	}
	if got := matte(file.Bytes()); !bytes.Equal(got, want.Pix) || bytes.Equal(got, first) {
		t.Error("another matte, or the first")
	}
}
