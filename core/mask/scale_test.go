package mask_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/mask"
	"pgregory.net/rapid"
)

// fatal is what rapid's T and testing's have in common.
type fatal interface{ Fatal(args ...any) }

func scale(t fatal, m *cutout.Mask, width, height int) *cutout.Mask {
	scaled, err := mask.Scale(context.Background(), m, width, height)
	if err != nil {
		t.Fatal(err)
	}
	return scaled
}

func anyMask(t *rapid.T, most int) *cutout.Mask {
	w, h := rapid.IntRange(1, most).Draw(t, "width"), rapid.IntRange(1, most).Draw(t, "height")
	return &cutout.Mask{Width: w, Height: h, Pix: rapid.SliceOfN(rapid.Byte(), w*h, w*h).Draw(t, "levels")}
}

// plainly is the same filter in floating point, sample by sample.
func plainly(m *cutout.Mask, width, height int) []float64 {
	weights := func(i, from, to int) []float64 {
		step := float64(from) / float64(to)
		support, centre := max(step, 1), (float64(i)+0.5)*step-0.5
		w, sum := make([]float64, from), 0.0
		for j := range w {
			w[j] = max(0, 1-math.Abs(float64(j)-centre)/support)
			sum += w[j]
		}
		for j := range w {
			w[j] /= sum
		}
		return w
	}
	out := make([]float64, 0, width*height)
	for y := range height {
		down := weights(y, m.Height, height)
		for x := range width {
			sum := 0.0
			for i, u := range weights(x, m.Width, width) {
				for j, v := range down {
					sum += u * v * float64(m.Pix[j*m.Width+i])
				}
			}
			out = append(out, sum)
		}
	}
	return out
}

// TestScaleIsTheTriangleFilter allows half a level for the rounding to levels and
// a tenth for that of the weights: with 12 samples to an axis, those that round
// up add at most 5.5 of 32768 parts of a full level, twice.
func TestScaleIsTheTriangleFilter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMask(t, 12)
		w, h := rapid.IntRange(1, 30).Draw(t, "to width"), rapid.IntRange(1, 30).Draw(t, "to height")
		got := scale(t, m, w, h)
		if got.Width != w || got.Height != h || len(got.Pix) != w*h {
			t.Fatalf("%dx%d of %d levels", got.Width, got.Height, len(got.Pix))
		}
		for i, want := range plainly(m, w, h) {
			if math.Abs(float64(got.Pix[i])-want) > 0.6 {
				t.Fatalf("sample %d is %d, not %.2f", i, got.Pix[i], want)
			}
		}
	})
}

func TestScaleKeepsDeepMasksDeep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMask(t, 12)
		deep, plain := scale(t, mask.Deepen(m), 17, 9), scale(t, m, 17, 9)
		if !bytes.Equal(deep.Pix, plain.Pix) {
			t.Fatal("the eight bits differ")
		}
		for i, v := range deep.Deep {
			if math.Abs(float64(v)/257-float64(deep.Pix[i])) > 0.51 {
				t.Fatalf("sample %d: %d beside %d", i, v, deep.Pix[i])
			}
		}
	})
}

func TestScaleShapes(t *testing.T) {
	full := &cutout.Mask{Width: 64, Height: 64, Pix: bytes.Repeat([]uint8{255}, 64*64)}
	for _, size := range [][2]int{{1, 1}, {1, 20000}, {20000, 1}, {64, 64}, {4032, 3024}, {3, 5}} {
		got := scale(t, full, size[0], size[1])
		if slices.ContainsFunc(got.Pix, func(v uint8) bool { return v != 255 }) {
			t.Errorf("%v: full does not stay full", size)
		}
	}
	if got := scale(t, full, 64, 64); got != full {
		t.Error("a mask of the right size was copied")
	}
	if got := scale(t, &cutout.Mask{}, 2, 2); !bytes.Equal(got.Pix, make([]uint8, 4)) {
		t.Errorf("no mask became %v", got.Pix)
	}
}

func TestScaleIsTheSameOnAnyNumberOfProcessors(t *testing.T) {
	m := &cutout.Mask{Width: 100, Height: 90, Pix: make([]uint8, 9000)}
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i >> 3)
	}
	want := scale(t, m, 777, 555)
	for _, n := range []int{1, 3, 8} {
		before := runtime.GOMAXPROCS(n)
		got := scale(t, m, 777, 555)
		runtime.GOMAXPROCS(before)
		if !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%d processors give another mask", n)
		}
	}
}

// One long side makes neither the weights nor the rows that are kept large: what is
// allocated stays near the result's own size, whatever the shapes.
func TestScaleMemory(t *testing.T) {
	const side = 32767
	for _, c := range [][4]int{{1, 1, 1, side}, {1, 1, side, 1}, {1, side, 1, 1}, {side, 1, 1, 1}, {1024, 1024, side, 2}, {1024, 1024, 2, side}, {side, 2, 512, 512}, {2, side, 512, 512}, {1500, side, 320, 320}, {side, 1500, 320, 320}} {
		m := &cutout.Mask{Width: c[0], Height: c[1], Pix: make([]uint8, c[0]*c[1])}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		scale(t, m, c[2], c[3])
		runtime.ReadMemStats(&after)
		if got, most := int(after.TotalAlloc-before.TotalAlloc), c[2]*c[3]+32<<20; got > most {
			t.Errorf("%v: %d bytes allocated, more than %d", c, got, most)
		}
	}
}

func TestScaleStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := &cutout.Mask{Width: 1, Height: 1, Pix: []uint8{1}}
	if _, err := mask.Scale(ctx, m, 1000, 1000); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, _, err := mask.Join(ctx, []*cutout.Mask{m, {Width: 2, Height: 2, Pix: make([]uint8, 4)}}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func BenchmarkScale(b *testing.B) {
	m := &cutout.Mask{Width: 1024, Height: 1024, Pix: make([]uint8, 1024*1024)}
	for b.Loop() {
		scale(b, m, 4032, 3024)
	}
}
