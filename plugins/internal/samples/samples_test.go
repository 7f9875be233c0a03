package samples

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
)

// Each sample enters as (x/Scale - Mean)/Std in its channel's plane, whatever
// the number of threads.
func TestNormalisation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		positive, any := rapid.Float32Range(0.01, 300), rapid.Float32Range(-3, 3)
		m := cutout.Model{Scale: positive.Draw(t, "scale")}
		for c := range 3 {
			m.Mean[c], m.Std[c] = any.Draw(t, "mean"), positive.Draw(t, "std")
		}
		pix := rapid.SliceOfN(rapid.Uint8(), 3, 600).Draw(t, "pix")
		n := len(pix) / 3
		pix = pix[:3*n]
		single, half := Planes{Single: make([]float32, 3*n)}, Planes{Half: make([]uint16, 3*n)}
		threads := rapid.IntRange(1, 7).Draw(t, "threads")
		single.Fill(pix, NewTable(m), threads)
		half.Fill(pix, NewTable(m), threads)
		for i, x := range pix {
			at, c := i%3*n+i/3, i%3
			want := (float64(x)/float64(m.Scale) - float64(m.Mean[c])) / float64(m.Std[c])
			// float32 loses digits where x/Scale and Mean nearly cancel.
			slack := 1e-6 * (math.Abs(want) + (float64(x)/float64(m.Scale)+math.Abs(float64(m.Mean[c])))/float64(m.Std[c]))
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
		values := rapid.SliceOfN(rapid.Float32(), 1, 300).Draw(t, "values")
		if rapid.Bool().Draw(t, "broken") {
			values[rapid.IntRange(0, len(values)-1).Draw(t, "at")] = float32(math.NaN())
		}
		broken := false
		for _, v := range values {
			broken = broken || v != v
		}
		for _, post := range []cutout.Post{cutout.PostNone, cutout.PostSigmoid, cutout.PostArgmax} {
			got, err := Planes{Single: values}.Mask(post, len(values), rapid.IntRange(1, 5).Draw(t, "threads"))
			if broken != (cutout.CodeOf(err) == cutout.Internal) {
				t.Fatalf("%s: got %v for %v", post, err, values)
			}
			for i := range got {
				v := float64(values[i])
				want := min(max(v, 0), 1)
				switch post {
				case cutout.PostSigmoid:
					want = 1 / (1 + math.Exp(-v))
				case cutout.PostArgmax:
					want = 0 // one class: all background
				}
				if math.Abs(float64(got[i])-want*255) > 0.501 {
					t.Fatalf("%s: %g became %d", post, v, got[i])
				}
			}
		}
	})
}

func BenchmarkFill(b *testing.B) {
	const n = 1024 * 1024
	in, pix := Planes{Single: make([]float32, 3*n)}, make([]uint8, 3*n)
	table := NewTable(cutout.Model{Scale: 256, Std: [3]float32{1, 1, 1}})
	for b.Loop() {
		in.Fill(pix, table, 2)
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
