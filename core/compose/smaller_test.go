package compose_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/cutout"
)

// Each pixel is the average of its block, as defined; colours of transparent pixels do
// not count.
func TestSmaller(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, h := rapid.IntRange(1, 60).Draw(rt, "width"), rapid.IntRange(1, 60).Draw(rt, "height")
		long := rapid.IntRange(1, 60).Draw(rt, "long")
		photo := &cutout.Photo{Width: w, Height: h, Pix: make([]uint8, 4*w*h)}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		for i := range photo.Pix {
			if random.IntN(4) > 0 { // a quarter is 0, alpha too
				photo.Pix[i] = uint8(random.Uint32())
			}
		}
		got, err := compose.Smaller(t.Context(), photo, long)
		if err != nil {
			rt.Fatal(err)
		}
		block := max(1, max(w, h)/long)
		if got.Width != (w+block-1)/block || got.Height != (h+block-1)/block || max(w, h) >= long && max(got.Width, got.Height) < long {
			rt.Fatalf("%d x %d became %d x %d for %d", w, h, got.Width, got.Height, long)
		}
		for i := range got.Width * got.Height {
			var sums [4]float64
			n := 0.0
			for y := i / got.Width * block; y < min(h, (i/got.Width+1)*block); y++ {
				for x := i % got.Width * block; x < min(w, (i%got.Width+1)*block); x++ {
					p := photo.Pix[4*(y*w+x):][:4]
					for c := range 3 {
						sums[c] += float64(p[c]) * float64(p[3])
					}
					sums[3] += float64(p[3])
					n++
				}
			}
			want := [4]float64{0, 0, 0, sums[3] / n}
			for c := range 3 {
				if sums[3] > 0 {
					want[c] = sums[c] / sums[3]
				}
			}
			for c, v := range got.Pix[4*i:][:4] {
				if block > 1 && math.Abs(float64(v)-want[c]) > 0.5 {
					rt.Fatalf("pixel %d is %v, not %v", i, got.Pix[4*i:][:4], want)
				}
			}
		}
	})
}
