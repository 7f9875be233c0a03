package correct_test

import (
	"bytes"
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/correct"
	"bgremover.pro/core/correct/correcttest"
	"bgremover.pro/core/cutout"
)

func alphaOf(t *testing.T, photo *cutout.Photo, alpha *cutout.Mask, strokes ...correct.Stroke) *cutout.Mask {
	t.Helper()
	got, err := correct.Alpha(t.Context(), photo, alpha, correct.Seeds(photo.Width, photo.Height, strokes), cutout.Refined)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// One stroke brings in a whole part up to its edge and leaves the rest untouched, level
// for level.
func TestAStrokeBringsItsPart(t *testing.T) {
	photo, alpha := correcttest.Squares(640, 480)
	got := alphaOf(t, photo, alpha, correcttest.Line(true, 0.7, 0.35, 0.8, 0.4))
	inside, outside, away := 0, 0, 0
	for y := range photo.Height {
		for x := range photo.Width {
			i := y*photo.Width + x
			switch {
			case correcttest.Right(x, y, photo.Width, photo.Height):
				if got.Pix[i] > 127 {
					inside++
				}
			case x > photo.Width/2 && got.Pix[i] > 127:
				outside++
			case x < photo.Width/3 && got.Pix[i] != alpha.Pix[i]:
				away++
			}
		}
	}
	whole := photo.Width * 3 / 10 * photo.Height * 4 / 10
	if inside < whole*97/100 || outside > whole*3/100 || away > 0 {
		t.Errorf("of %d pixels %d are in, %d beside them, and %d far away changed", whole, inside, outside, away)
	}
}

// Where the matte's border ran through a part that is whole now, no line stays.
func TestNoSeamStays(t *testing.T) {
	photo, alpha := correcttest.Squares(640, 480)
	const middle, soft = 640 * 75 / 100, 6
	for i := range alpha.Pix {
		x, y := i%640, i/640
		if correcttest.Right(x, y, 640, 480) {
			alpha.Pix[i] = uint8(255 * max(0, min(2*soft, middle+soft-x)) / (2 * soft))
		}
	}
	got := alphaOf(t, photo, alpha, correcttest.Line(true, 0.82, 0.3, 0.85, 0.45))
	for i, level := range got.Pix {
		x, y := i%640, i/640
		if correcttest.Right(x-8, y-8, 640, 480) && correcttest.Right(x+8, y+8, 640, 480) && level < 250 {
			t.Fatalf("at %d,%d the level is %d", x, y, level)
		}
	}
}

func TestWithoutStrokesNothingChanges(t *testing.T) {
	photo, alpha := correcttest.Squares(64, 48)
	if alphaOf(t, photo, alpha) != alpha {
		t.Error("another matte")
	}
	session, err := correct.Open(t.Context(), photo, alpha)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := session.Finish(t.Context(), nil); err != nil || got != alpha {
		t.Errorf("another matte, or %v", err)
	}
}

// A deep matte stays deep, and both depths say the same.
func TestDeepMattes(t *testing.T) {
	photo, alpha := correcttest.Squares(320, 240)
	photo.Deep = make([]uint16, len(photo.Pix))
	for i, v := range photo.Pix {
		photo.Deep[i] = uint16(v) * 257
	}
	alpha.Deep = make([]uint16, len(alpha.Pix))
	for i, v := range alpha.Pix {
		alpha.Deep[i] = uint16(v) * 257
	}
	got := alphaOf(t, photo, alpha, correcttest.Line(true, 0.7, 0.35, 0.8, 0.4))
	for i, v := range got.Deep {
		if math.Abs(float64(v)/257-float64(got.Pix[i])) > 1.01 {
			t.Fatalf("sample %d: %d beside %d", i, v, got.Pix[i])
		}
	}
}

// A session answers a stroke as the server does, strokes taken back leave no trace,
// and the full size follows the preview.
func TestSessions(t *testing.T) {
	photo, alpha := correcttest.Squares(1300, 975)
	session, err := correct.Open(t.Context(), photo, alpha)
	if err != nil {
		t.Fatal(err)
	}
	keep, remove := correcttest.Line(true, 0.7, 0.35, 0.8, 0.4), correcttest.Line(false, 0.2, 0.35, 0.25, 0.4)
	paint := correcttest.Line(true, 0.4, 0.1, 0.6, 0.1)
	paint.Literal = true
	preview := func(strokes ...correct.Stroke) []uint8 {
		m, err := session.Preview(t.Context(), strokes)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(m.Pix)
	}
	first, one := preview(), preview(keep)
	two, three := preview(keep, remove), preview(keep, remove, paint)
	for name, c := range map[string][2][]uint8{
		"redone": {three, preview(keep, remove, paint)}, "one back": {two, preview(keep, remove)},
		"two back": {one, preview(keep)}, "all back": {first, preview()},
	} {
		if !bytes.Equal(c[0], c[1]) {
			t.Errorf("%s: another preview", name)
		}
	}
	if bytes.Equal(first, one) || bytes.Equal(one, two) || bytes.Equal(two, three) {
		t.Error("a stroke changes nothing")
	}
	finished, err := session.Finish(t.Context(), []correct.Stroke{keep, remove})
	if err != nil {
		t.Fatal(err)
	}
	if want := alphaOf(t, photo, alpha, keep, remove); !bytes.Equal(finished.Pix, want.Pix) {
		t.Error("the session makes another matte of the same seeds")
	}
	finished, err = session.Finish(t.Context(), []correct.Stroke{keep, remove, paint})
	if err != nil {
		t.Fatal(err)
	}
	if level := finished.Pix[975*2/15*1300+650]; level != 255 {
		t.Errorf("where paint lies, the matte is %d", level)
	}
}

// Whatever numbers strokes consist of: no panic, and no pixel outside.
func TestStrokesOfAnyNumbers(t *testing.T) {
	number := rapid.OneOf(rapid.Float32(), rapid.Float32Range(-1, 2), rapid.SampledFrom([]float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0, 1}))
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 60).Draw(t, "width"), rapid.IntRange(1, 60).Draw(t, "height")
		photo := &cutout.Photo{Width: w, Height: h, Pix: make([]uint8, 4*w*h), Opaque: true}
		alpha := &cutout.Mask{Width: w, Height: h, Pix: make([]uint8, w*h)}
		var strokes []correct.Stroke
		for range rapid.IntRange(0, 4).Draw(t, "strokes") {
			s := correct.Stroke{Keep: rapid.Bool().Draw(t, "keep"), Literal: rapid.Bool().Draw(t, "literal")}
			for range rapid.IntRange(0, 5).Draw(t, "points") {
				s.Points = append(s.Points, correct.Point{X: number.Draw(t, "x"), Y: number.Draw(t, "y"), Radius: number.Draw(t, "radius")})
			}
			strokes = append(strokes, s)
		}
		session, err := correct.Open(context.Background(), photo, alpha)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := session.Finish(context.Background(), strokes); err != nil || len(got.Pix) != w*h {
			t.Fatalf("%v, or a matte of another size", err)
		}
	})
}
