package mask

import (
	"context"
	"math"

	"bgremover.pro/core/cutout"
)

// Scale resizes a mask to width x height with the triangle filter and
// half-pixel centres: bilinear when enlarging, averaging over the whole source
// area when reducing (as Pillow's BILINEAR does), so that thin structures fade
// instead of breaking up. A deep mask stays deep. The result is the same on any
// number of processors; it is m itself where the size already fits.
func Scale(m *cutout.Mask, width, height int) *cutout.Mask {
	if m.Width == width && m.Height == height {
		return m
	}
	out := &cutout.Mask{Width: width, Height: height, Pix: make([]uint8, width*height)}
	if len(m.Pix) == 0 || len(out.Pix) == 0 {
		return out
	}
	if m.Deep != nil {
		out.Deep = make([]uint16, width*height)
	}
	columns, rows := triangle(m.Width, width), triangle(m.Height, height)
	_ = cutout.Rows(context.Background(), height, func(from, to int) {
		s := newScaler(m, columns, rows)
		for y := from; y < to; y++ {
			store(out, y, s.blend(rows[y]))
		}
	})
	return out
}

// Deepen returns the mask with its samples as 0 to 65535 beside those it has, so
// that scaling it does not round to 256 levels; m itself where it is deep.
func Deepen(m *cutout.Mask) *cutout.Mask {
	if m.Deep != nil {
		return m
	}
	deep := *m
	deep.Deep = make([]uint16, len(m.Pix))
	for i, v := range m.Pix {
		deep.Deep[i] = uint16(v) * 257
	}
	return &deep
}

// store rounds a row of sums, 65535 being full, into the mask.
func store(out *cutout.Mask, y int, sums []uint32) {
	pix := out.Pix[y*out.Width:][:len(sums)]
	for x, s := range sums {
		pix[x] = uint8((s*255 + 32768) >> 16)
	}
	if out.Deep == nil {
		return
	}
	deep := out.Deep[y*out.Width:][:len(sums)]
	for x, s := range sums {
		deep[x] = uint16(s)
	}
}

// scaler turns source rows into target rows. It keeps the last source rows that
// it has resized along x, because neighbouring target rows share them.
type scaler struct {
	source  *cutout.Mask
	columns []taps
	kept    [][]uint16 // source row y, resized, lies at y modulo len(kept)
	holds   []int      // which row that is; -1 for none
	line    []uint32   // one source row, 65535 being full
	sums    []uint32   // one target row
}

func newScaler(m *cutout.Mask, columns, rows []taps) *scaler {
	most := 0
	for _, t := range rows {
		most = max(most, len(t.weights))
	}
	s := &scaler{
		source: m, columns: columns,
		kept: make([][]uint16, most), holds: make([]int, most),
		line: make([]uint32, m.Width), sums: make([]uint32, len(columns)),
	}
	for i := range s.kept {
		s.kept[i], s.holds[i] = make([]uint16, len(columns)), -1
	}
	return s
}

// blend returns the weighted sum of the source rows that t names; the next call
// overwrites it.
func (s *scaler) blend(t taps) []uint32 {
	if len(t.weights) == 2 { // the common case, enlarging
		a, b := s.row(t.first), s.row(t.first+1)
		u, v := t.weights[0], t.weights[1]
		sums := s.sums[:len(a)]
		b = b[:len(a)]
		for x := range a {
			sums[x] = (uint32(a[x])*u + uint32(b[x])*v + half) >> weightBits
		}
		return sums
	}
	for x := range s.sums {
		s.sums[x] = half
	}
	for i, w := range t.weights {
		row := s.row(t.first + i)
		for x := range row {
			s.sums[x] += uint32(row[x]) * w
		}
	}
	for x := range s.sums {
		s.sums[x] >>= weightBits
	}
	return s.sums
}

// row returns source row y resized along x.
func (s *scaler) row(y int) []uint16 {
	slot := y % len(s.kept)
	row := s.kept[slot]
	if s.holds[slot] == y {
		return row
	}
	s.holds[slot] = y
	start, end := y*s.source.Width, (y+1)*s.source.Width
	if s.source.Deep != nil {
		for x, v := range s.source.Deep[start:end] {
			s.line[x] = uint32(v)
		}
	} else {
		for x, v := range s.source.Pix[start:end] {
			s.line[x] = uint32(v) * 257
		}
	}
	for x, t := range s.columns {
		sum := uint32(half)
		for i, w := range t.weights {
			sum += s.line[t.first+i] * w
		}
		row[x] = uint16(sum >> weightBits)
	}
	return row
}

// taps are the source samples that make one target sample: weights[i] belongs
// to source sample first+i. The weights sum to exactly 1<<weightBits, so that
// full stays full and the sums fit 32 bits.
type taps struct {
	first   int
	weights []uint32
}

const (
	weightBits = 15
	half       = 1 << (weightBits - 1)
)

// triangle computes the taps of every target sample along one axis.
func triangle(source, target int) []taps {
	step := float64(source) / float64(target)
	support := max(step, 1)
	all := make([]taps, target)
	for i := range all {
		centre := (float64(i)+0.5)*step - 0.5
		first := max(0, int(math.Floor(centre-support))+1)
		last := min(source-1, int(math.Ceil(centre+support))-1)
		weights := make([]float64, last-first+1)
		for j := range weights {
			weights[j] = 1 - math.Abs(float64(first+j)-centre)/support
		}
		all[i] = taps{first, fixed(weights)}
	}
	return all
}

// fixed scales weights to integers that sum to 1<<weightBits; the heaviest takes
// what rounding leaves over.
func fixed(weights []float64) []uint32 {
	total, heaviest := 0.0, 0
	for i, w := range weights {
		total += w
		if w > weights[heaviest] {
			heaviest = i
		}
	}
	out := make([]uint32, len(weights))
	left := uint32(1 << weightBits)
	for i, w := range weights {
		out[i] = uint32(math.Round(w / total * (1 << weightBits)))
		left -= out[i]
	}
	out[heaviest] += left
	return out
}
