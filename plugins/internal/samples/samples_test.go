package samples

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
)

// Each sample enters as (x/Scale - Mean)/Std in its channel's plane, whatever
// the number of threads.
func TestNormalisation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		positive, any := rapid.Float32Range(0.01, 300), rapid.Float32Range(-3, 3)
		m := cutout.Model{Scale: rapid.OneOf(positive, rapid.Just[float32](0)).Draw(t, "scale")}
		for c := range 3 {
			m.Mean[c], m.Std[c] = any.Draw(t, "mean"), positive.Draw(t, "std")
		}
		pix := rapid.SliceOfN(rapid.Uint8(), 3, 600).Draw(t, "pix")
		n := len(pix) / 3
		pix = pix[:3*n]
		single, half := Planes{Single: make([]float32, 3*n)}, Planes{Half: make([]uint16, 3*n)}
		threads := rapid.IntRange(1, 7).Draw(t, "threads")
		single.Fill(pix, m, threads)
		half.Fill(pix, m, threads)
		scale := float64(m.Scale)
		if scale == 0 { // the brightest
			scale = float64(max(1, slices.Max(pix)))
		}
		for i, x := range pix {
			at, c := i%3*n+i/3, i%3
			want := (float64(x)/scale - float64(m.Mean[c])) / float64(m.Std[c])
			// float32 loses digits where x/Scale and Mean nearly cancel, and below
			// its normal range.
			slack := 1e-37 + 1e-6*(math.Abs(want)+(float64(x)/scale+math.Abs(float64(m.Mean[c])))/float64(m.Std[c]))
			if got := float64(single.Single[at]); math.Abs(got-want) > slack {
				t.Fatalf("sample %d of channel %d: got %g, want %g", x, c, got, want)
			}
			if half.Half[at] != halfOf(single.Single[at]) {
				t.Fatalf("sample %d of channel %d: float16 differs from float32", x, c)
			}
		}
	})
}

func TestHalfRoundTrip(t *testing.T) {
	for h := range 1 << 16 {
		v := halfValue(uint16(h))
		if v != v {
			if back := halfValue(halfOf(v)); back == back {
				t.Fatalf("%#04x: not a number became %g", h, back)
			}
		} else if back := halfOf(v); back != uint16(h) {
			t.Fatalf("%#04x is %g, which became %#04x", h, v, back)
		}
	}
}

func TestHalfRoundsToNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float32Range(-65000, 65000).Draw(t, "v")
		h := halfOf(v)
		distance := func(h uint16) float64 { return math.Abs(float64(halfValue(h)) - float64(v)) }
		if distance(h) > distance(h+1) || h&0x7fff != 0 && distance(h) > distance(h-1) {
			t.Fatalf("%g became %g, which is not the nearest", v, halfValue(h))
		}
	})
}

// A mask is the network's answer rounded to 8 bits, and an answer that is no
// number never becomes one.
func TestMask(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float32Range(-20, 20), 1, 300).Draw(t, "values")
		broken := rapid.Bool().Draw(t, "broken")
		if broken {
			values[rapid.IntRange(0, len(values)-1).Draw(t, "at")] = float32(math.NaN())
		}
		sigmoid := func(v float32) float64 { return 1 / (1 + math.Exp(-float64(v))) }
		least, greatest := slices.Min(values), slices.Max(values)
		stretched := func(v, least, greatest float64) float64 {
			if least == greatest {
				return v
			}
			return (v - least) / (greatest - least)
		}
		for post, want := range map[cutout.Post]func(v float32) float64{
			cutout.PostNone:    func(v float32) float64 { return float64(v) },
			cutout.PostSigmoid: sigmoid,
			cutout.PostMinMax: func(v float32) float64 {
				return stretched(float64(v), float64(least), float64(greatest))
			},
			cutout.PostSigmoidMinMax: func(v float32) float64 {
				return stretched(sigmoid(v), sigmoid(least), sigmoid(greatest))
			},
			cutout.PostArgmax: func(float32) float64 { return 0 }, // one class: all background
		} {
			got, err := Planes{Single: values}.Mask(post, len(values), rapid.IntRange(1, 5).Draw(t, "threads"))
			if broken != (cutout.CodeOf(err) == cutout.Internal) {
				t.Fatalf("%s: got %v for %v", post, err, values)
			}
			for i := range got {
				if w := 255 * min(max(want(values[i]), 0), 1); math.Abs(float64(got[i])-w) > 0.501 {
					t.Fatalf("%s: %g became %d, not %g", post, values[i], got[i], w)
				}
			}
		}
	})
}

func TestMaskOfInfinities(t *testing.T) {
	inf := float32(math.Inf(1))
	for post, want := range map[cutout.Post][]uint8{
		cutout.PostNone: {0, 255}, cutout.PostSigmoid: {0, 255}, cutout.PostSigmoidMinMax: {0, 255}, cutout.PostMinMax: nil,
	} {
		got, err := Planes{Single: []float32{-inf, inf}}.Mask(post, 2, 1)
		if !slices.Equal(got, want) || (err != nil) != (want == nil) {
			t.Errorf("%s: %v, %v", post, got, err)
		}
	}
}

func BenchmarkFill(b *testing.B) {
	const n = 1024 * 1024
	in, pix := Planes{Single: make([]float32, 3*n)}, make([]uint8, 3*n)
	m := cutout.Model{Scale: 256, Std: [3]float32{1, 1, 1}}
	for b.Loop() {
		in.Fill(pix, m, 2)
	}
}

func BenchmarkMask(b *testing.B) {
	const n = 1024 * 1024
	for _, post := range []cutout.Post{cutout.PostNone, cutout.PostSigmoid} {
		b.Run(string(post), func(b *testing.B) {
			out := Planes{Single: make([]float32, n)}
			for b.Loop() {
				if _, err := out.Mask(post, n, 2); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
