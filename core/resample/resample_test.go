package resample_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/resample"
)

var kernels = map[string]resample.Kernel{"triangle": resample.Triangle, "lanczos": resample.Lanczos}

// A flat row stays flat, and no tap lies outside the row.
func TestWeightsAddUp(t *testing.T) {
	for name, k := range kernels {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				from, to := rapid.IntRange(1, 40000).Draw(t, "from"), rapid.IntRange(1, 2000).Draw(t, "to")
				bits := rapid.UintRange(8, 15).Draw(t, "bits")
				for i, taps := range resample.Axis(from, to, k, bits) {
					sum := int32(0)
					for _, w := range taps.Weights {
						sum += w
					}
					if sum != 1<<bits || taps.First < 0 || len(taps.Weights) == 0 || taps.First+len(taps.Weights) > from {
						t.Fatalf("sample %d of %d: %d taps from %d of %d add up to %d", i, to, len(taps.Weights), taps.First, from, sum)
					}
				}
			})
		})
	}
}

// A ramp stays the ramp that it is, away from its ends.
func TestRampStaysARamp(t *testing.T) {
	const bits = 14
	for name, k := range kernels {
		for _, c := range [][2]int{{100, 160}, {100, 100}, {300, 90}} {
			step := float64(c[0]) / float64(c[1])
			for i, taps := range resample.Axis(c[0], c[1], k, bits) {
				want := (float64(i)+0.5)*step - 0.5
				if want < 4*max(step, 1) || want > float64(c[0])-4*max(step, 1)-1 {
					continue
				}
				got := 0.0
				for j, w := range taps.Weights {
					got += float64(w) / (1 << bits) * float64(taps.First+j)
				}
				if math.Abs(got-want) > 0.03 {
					t.Errorf("%s, %v: sample %d lies at %.3f, not %.3f", name, c, i, got, want)
				}
			}
		}
	}
}

func TestSameSizeIsIdentity(t *testing.T) {
	for name, k := range kernels {
		for i, taps := range resample.Axis(50, 50, k, 12) {
			for j, w := range taps.Weights {
				if same := taps.First+j == i; same != (w == 1<<12) || !same && w != 0 {
					t.Fatalf("%s: sample %d takes %d of sample %d", name, i, w, taps.First+j)
				}
			}
		}
	}
}
