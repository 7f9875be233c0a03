// Package samples converts pixels to network inputs, and network outputs to masks.
package samples

import (
	"slices"

	"bgremover.pro/core/cutout"
)

// Planes are the values of a tensor, as float32, or as the bits of float16.
// Exactly one of the slices is set.
type Planes struct {
	Single []float32
	Half   []uint16
}

// Fill writes interleaved R, G, B samples of a picture into the three planes of
// a tensor of shape 1x3xHxW, as the model wants them, with that many threads.
func (p Planes) Fill(pix []uint8, m cutout.Model, threads int) {
	single := normalise(pix, m)
	if p.Half == nil {
		fill(p.Single, pix, single, threads)
		return
	}
	half := new([3][256]uint16)
	for c := range single {
		for x, v := range single[c] {
			half[c][x] = halfOf(v)
		}
	}
	fill(p.Half, pix, half, threads)
}

// normalise computes (x/Scale - Mean) / Std for every sample x, by channel.
func normalise(pix []uint8, m cutout.Model) *[3][256]float32 {
	scale := m.Scale
	if scale == 0 {
		scale = float32(max(1, slices.Max(pix))) // a black picture stays black
	}
	table := new([3][256]float32)
	for c := range table {
		for x := range table[c] {
			table[c][x] = (float32(x)/scale - m.Mean[c]) / m.Std[c]
		}
	}
	return table
}

// Split writes interleaved R, G, B samples into three planes as they are, for graphs
// that normalise them themselves.
func Split(planes, pix []uint8, threads int) {
	var same [3][256]uint8
	for c := range same {
		for x := range same[c] {
			same[c][x] = uint8(x)
		}
	}
	fill(planes, pix, &same, threads)
}

func fill[T any](planes []T, pix []uint8, table *[3][256]T, threads int) {
	n := len(pix) / 3
	parallel(n, threads, func(from, to int) {
		r, g, b := planes[from:to], planes[n+from:n+to], planes[2*n+from:2*n+to]
		p := pix[3*from : 3*to]
		for i := range r {
			r[i] = table[0][p[3*i]]
			g[i] = table[1][p[3*i+1]]
			b[i] = table[2][p[3*i+2]]
		}
	})
}
