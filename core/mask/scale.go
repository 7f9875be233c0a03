package mask

import (
	"context"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/resample"
)

// The weights of a sample sum to exactly 1<<weightBits, so that 255 stays 255 and
// the sums fit 32 bits.
const (
	weightBits = 15
	half       = 1 << (weightBits - 1)
)

// Scale resizes a mask to width x height with the triangle filter and
// half-pixel centres: bilinear when enlarging, averaging over the whole source
// area when reducing (as Pillow's BILINEAR does), so that thin structures fade
// instead of breaking up. A deep mask stays deep. The result is the same on any
// number of processors; it is m itself where the size already fits. The error is
// the context's.
func Scale(ctx context.Context, m *cutout.Mask, width, height int) (*cutout.Mask, error) {
	if m.Width == width && m.Height == height {
		return m, nil
	}
	out := &cutout.Mask{Width: width, Height: height, Pix: make([]uint8, width*height)}
	if len(m.Pix) == 0 || len(out.Pix) == 0 {
		return out, nil
	}
	if m.Deep != nil {
		out.Deep = make([]uint16, width*height)
	}
	columns := resample.Axis(m.Width, width, resample.Triangle, weightBits)
	rows := resample.Axis(m.Height, height, resample.Triangle, weightBits)
	most := resample.Most(rows)
	err := cutout.Rows(ctx, height, func(from, to int) {
		s := newScaler(m, columns, most)
		for y := from; y < to; y++ {
			store(out, y, s.blend(rows[y]))
		}
	})
	return out, err
}

// Deepen returns the mask with its samples as 0 to 65535 as well, so that scaling it does
// not round to 256 levels; m itself where it is deep.
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
	columns []resample.Taps
	kept    [][]uint16 // source row y, resized, lies at y modulo len(kept)
	holds   []int      // which row that is; -1 for none
	line    []uint32   // one source row, 65535 being full
	sums    []uint32   // one target row
}

// maxKept limits the rows kept when a mask is reduced a lot; rows that several
// target rows share are then resized again.
const maxKept = 8

// newScaler returns a scaler for target rows made of at most most source rows each.
func newScaler(m *cutout.Mask, columns []resample.Taps, most int) *scaler {
	most = min(most, maxKept)
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
func (s *scaler) blend(t resample.Taps) []uint32 {
	if len(t.Weights) == 2 { // the common case, enlarging
		a, b := s.row(t.First), s.row(t.First+1)
		u, v := uint32(t.Weights[0]), uint32(t.Weights[1])
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
	for i, w := range t.Weights {
		row := s.row(t.First + i)
		for x := range row {
			s.sums[x] += uint32(row[x]) * uint32(w)
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
		for i, w := range t.Weights {
			sum += s.line[t.First+i] * uint32(w)
		}
		row[x] = uint16(sum >> weightBits)
	}
	return row
}
