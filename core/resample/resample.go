// Package resample computes the weights with which rows and columns of a picture
// are scaled: a separable filter, one axis at a time, in fixed point, so that the
// result is the same on every machine.
package resample

import "math"

// Kernel is a filter, as a function of the distance from the target sample's
// centre; it is 0 beyond its support.
type Kernel struct {
	support float64
	at      func(distance float64) float64
}

// The kernels, as Pillow's BILINEAR and LANCZOS have them.
var (
	// Triangle interpolates linearly when enlarging and averages when reducing.
	// It never overshoots.
	Triangle = Kernel{1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }}
	// Lanczos keeps edges sharper when enlarging. Its weights may be negative:
	// sums can exceed the range by up to a quarter at either end.
	Lanczos = Kernel{3, func(x float64) float64 {
		if math.Abs(x) >= 3 {
			return 0
		}
		return sinc(x) * sinc(x/3)
	}}
)

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// Taps are the source samples that make one target sample: Weights[i] belongs to
// source sample First+i.
type Taps struct {
	First   int
	Weights []int32
}

// Axis returns the taps of every target sample along one axis of from source and
// to target samples, both at least 1. Samples lie at their centres; when reducing,
// the kernel is as wide as what a target sample covers. The weights of a sample sum
// to exactly 1<<bits, so that a flat area does not change.
func Axis(from, to int, k Kernel, bits uint) []Taps {
	step := float64(from) / float64(to)
	stretch := max(step, 1)
	reach := k.support * stretch
	all := make([]Taps, to)
	for i := range all {
		centre := (float64(i) + 0.5) * step
		first := max(0, int(centre-reach+0.5))
		last := max(first+1, min(from, int(centre+reach+0.5)))
		exact := make([]float64, last-first)
		for j := range exact {
			exact[j] = k.at((float64(first+j) + 0.5 - centre) / stretch)
		}
		all[i] = Taps{first, fixed(exact, bits)}
	}
	return all
}

// Most returns the largest number of source samples that a target sample has.
func Most(all []Taps) int {
	most := 0
	for _, t := range all {
		most = max(most, len(t.Weights))
	}
	return most
}

// fixed scales weights to integers. It rounds the running sum, not each weight, so
// that the total is exact however many there are.
func fixed(exact []float64, bits uint) []int32 {
	total := 0.0
	for _, w := range exact {
		total += w
	}
	weights := make([]int32, len(exact))
	sum, given := 0.0, 0.0
	for i, w := range exact {
		sum += w
		upTo := math.Round(sum / total * float64(int(1)<<bits))
		weights[i] = int32(upTo - given)
		given = upTo
	}
	return weights
}
