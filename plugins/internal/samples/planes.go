// Package samples turns pixels into what networks take, and their answers into
// masks.
package samples

import "bgremover.pro/core/cutout"

// Planes are the values of a tensor, as float32, or as the bits of float16.
// Exactly one of the slices is set.
type Planes struct {
	Single []float32
	Half   []uint16
}

// Table says what each sample becomes in a network, by channel.
type Table struct {
	single [3][256]float32
	half   [3][256]uint16
}

// NewTable works out (x/Scale - Mean) / Std for every sample x.
func NewTable(m cutout.Model) *Table {
	t := &Table{}
	for c := range 3 {
		for x := range 256 {
			v := (float32(x)/m.Scale - m.Mean[c]) / m.Std[c]
			t.single[c][x], t.half[c][x] = v, halfOf(v)
		}
	}
	return t
}

// Fill writes interleaved R, G, B samples into the three planes of a tensor of
// shape 1x3xHxW, with that many threads.
func (p Planes) Fill(pix []uint8, table *Table, threads int) {
	if p.Half != nil {
		fill(p.Half, pix, &table.half, threads)
		return
	}
	fill(p.Single, pix, &table.single, threads)
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
