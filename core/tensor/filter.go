package tensor

import "math"

// weightBits is the precision of weights: those of one pixel add up to exactly
// 1<<weightBits, so that a flat area stays as it is.
const weightBits = 12

// filter says for each pixel of a scaled row or column which of the source's
// it is made of.
type filter struct {
	taps []tap
	most int // taps of one pixel
}

type tap struct {
	first   int
	weights []uint64
}

// newFilter makes the triangle filter. Pixels are taken at their centres, and
// the triangle is as wide as what one output pixel covers, at least one pixel
// to each side (Pillow's precompute_coeffs).
func newFilter(from, to int) filter {
	f := filter{taps: make([]tap, to)}
	scale := float64(from) / float64(to)
	wide := max(scale, 1)
	for i := range f.taps {
		centre := (float64(i) + 0.5) * scale
		first := max(0, int(centre-wide+0.5))
		last := min(from, int(centre+wide+0.5))
		f.taps[i] = tap{first, triangle(first, last, centre, wide)}
		f.most = max(f.most, last-first)
	}
	return f
}

// triangle rounds the running sum, not each weight, so that the total is exact
// however many there are.
func triangle(first, last int, centre, wide float64) []uint64 {
	exact := make([]float64, last-first)
	var total float64
	for i := range exact {
		exact[i] = max(0, 1-math.Abs(float64(first+i)+0.5-centre)/wide)
		total += exact[i]
	}
	weights := make([]uint64, len(exact))
	var sum float64
	var given uint64
	for i, w := range exact {
		sum += w
		upTo := uint64(math.Round(sum / total * (1 << weightBits)))
		weights[i] = upTo - given
		given = upTo
	}
	return weights
}
