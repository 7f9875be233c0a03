package complete_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/complete"
	"bgremover.pro/core/cutout"
)

// shapes is a grey photo with a red square at its left and a blue one at its right,
// each with noise; the mask has found the red one, or both.
func shapes(width, height int, both bool) (*cutout.Photo, *cutout.Mask) {
	random := rand.New(rand.NewPCG(1, 2))
	photo := &cutout.Photo{Width: width, Height: height, Opaque: true, Pix: make([]uint8, 4*width*height)}
	m := &cutout.Mask{Width: 256, Height: 256, Pix: make([]uint8, 256*256)}
	inside := func(x, y, w, h, left int) bool {
		return x*10 >= left*w && x*10 < (left+3)*w && y*10 >= 3*h && y*10 < 7*h
	}
	for y := range height {
		for x := range width {
			c := [3]int{128, 128, 128}
			if inside(x, y, width, height, 1) {
				c = [3]int{200, 40, 40}
			} else if inside(x, y, width, height, 6) {
				c = [3]int{40, 60, 200}
			}
			for k, v := range c {
				photo.Pix[4*(y*width+x)+k] = uint8(v + random.IntN(21) - 10)
			}
			photo.Pix[4*(y*width+x)+3] = 255
		}
	}
	for i := range m.Pix {
		if inside(i%256, i/256, 256, 256, 1) || both && inside(i%256, i/256, 256, 256, 6) {
			m.Pix[i] = 255
		}
	}
	return photo, m
}

func point(seed cutout.Seed, x, y int) *cutout.Seeds {
	s := &cutout.Seeds{Width: 100, Height: 100, Pix: make([]cutout.Seed, 100*100)}
	for j := y - 1; j <= y+1; j++ {
		for i := x - 1; i <= x+1; i++ {
			s.Pix[j*100+i] = seed
		}
	}
	return s
}

// share is how much of a part of the mask is subject; the part is given in tenths.
func share(m *cutout.Mask, left, top, right, bottom int) float64 {
	sum, n := 0, 0
	for y := top * m.Height / 10; y < bottom*m.Height/10; y++ {
		for x := left * m.Width / 10; x < right*m.Width/10; x++ {
			sum += int(m.Pix[y*m.Width+x])
			n++
		}
	}
	return float64(sum) / float64(255*n)
}

// One point brings in the whole square that it lies on, or takes it out, and leaves
// the rest as it was.
func TestAPointDecidesAboutThePartThatItLiesOn(t *testing.T) {
	for name, c := range map[string]struct {
		both      bool
		seeds     *cutout.Seeds
		red, blue float64
	}{
		"keep blue":   {false, point(cutout.Keep, 75, 50), 1, 1},
		"remove blue": {true, point(cutout.Remove, 75, 50), 1, 0},
		"keep red":    {false, point(cutout.Keep, 25, 50), 1, 0},
		"remove grey": {true, point(cutout.Remove, 50, 15), 1, 1},
	} {
		photo, m := shapes(600, 400, c.both)
		got, err := complete.Complete(t.Context(), photo, m, c.seeds)
		if err != nil {
			t.Fatal(err)
		}
		if r, b, g := share(got, 1, 3, 4, 7), share(got, 6, 3, 9, 7), share(got, 0, 0, 10, 2); max(r-c.red, c.red-r) > 0.05 || max(b-c.blue, c.blue-b) > 0.05 || g > 0.05 {
			t.Errorf("%s: of red %.2f, of blue %.2f, of the grey above %.2f", name, r, b, g)
		}
	}
}

func TestWithoutSeedsNothingChanges(t *testing.T) {
	photo, m := shapes(60, 40, false)
	for name, seeds := range map[string]*cutout.Seeds{"nil": nil, "empty": {}, "undecided": point(cutout.Undecided, 5, 5)} {
		if got, err := complete.Complete(t.Context(), photo, m, seeds); err != nil || got != m {
			t.Errorf("%s: %v, or another mask", name, err)
		}
	}
}

func TestStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	photo, m := shapes(60, 40, false)
	if _, err := complete.Complete(ctx, photo, m, point(cutout.Keep, 75, 50)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Whatever photo, mask and seeds: the seeds are obeyed, the shape is the mask's, and
// the result is the same on any number of processors.
func TestSeedsAreObeyed(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.OneOf(rapid.IntRange(1, 40), rapid.SampledFrom([]int{1, 2, 500}))
		w, h := side.Draw(t, "width"), side.Draw(t, "height")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		photo := &cutout.Photo{Width: w, Height: h, Pix: make([]uint8, 4*w*h)}
		levels := 1 + random.IntN(256)
		for i := range photo.Pix {
			photo.Pix[i] = uint8(random.IntN(levels))
		}
		m := &cutout.Mask{Width: 16, Height: 16, Pix: make([]uint8, 256)}
		kind := rapid.SampledFrom([]string{"black", "white", "noise"}).Draw(t, "mask")
		for i := range m.Pix {
			switch kind {
			case "white":
				m.Pix[i] = 255
			case "noise":
				m.Pix[i] = uint8(random.IntN(256))
			}
		}
		seeds := &cutout.Seeds{Width: 1 + random.IntN(30), Height: 1 + random.IntN(30)}
		seeds.Pix = make([]cutout.Seed, seeds.Width*seeds.Height)
		whole := rapid.SampledFrom([]cutout.Seed{cutout.Undecided, cutout.Keep, cutout.Remove}).Draw(t, "all")
		for i := range seeds.Pix {
			if seeds.Pix[i] = whole; random.IntN(20) == 0 {
				seeds.Pix[i] = cutout.Seed(random.IntN(3))
			}
		}
		runtime.GOMAXPROCS(1)
		one, err := complete.Complete(context.Background(), photo, m, seeds)
		if err != nil || one.Width != 16 || one.Height != 16 || len(one.Pix) != 256 {
			t.Fatalf("%v, or a mask of another shape", err)
		}
		runtime.GOMAXPROCS(4)
		if many, err := complete.Complete(context.Background(), photo, m, seeds); err != nil || !bytes.Equal(one.Pix, many.Pix) {
			t.Fatalf("%v, or the result depends on the processors", err)
		}
		all := map[cutout.Seed]bool{}
		for _, s := range seeds.Pix {
			all[s] = true
		}
		if len(all) == 1 && whole != cutout.Undecided {
			want := map[cutout.Seed]uint8{cutout.Keep: 255, cutout.Remove: 0}[whole]
			for _, level := range one.Pix {
				if level != want {
					t.Fatalf("all is %d, but a level is %d", whole, level)
				}
			}
		}
	})
}

func BenchmarkComplete(b *testing.B) {
	photo, m := shapes(4032, 3024, false)
	seeds := point(cutout.Keep, 75, 50)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := complete.Complete(context.Background(), photo, m, seeds); err != nil {
			b.Fatal(err)
		}
	}
}
