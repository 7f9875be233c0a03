package complete

import (
	"context"

	"bgremover.pro/core/cutout"
)

// Change is what seeds change about a mask. It has the small copy's size and applies
// to masks of any size.
type Change struct {
	width, height int
	// changed is 1 where the side changes, a seed lies or a border was, and touched
	// also beside that; target is the new level there, 0 to 1.
	changed, touched, target []float32
}

// margin is how far around a change the edge is drawn again, in pixels of the copy.
const margin = 3

// matters is how far from that the mask still affects it: the windows of refine, a tenth of
// the side.
const matters = 32

func (s *decision) change() *Change {
	n := len(s.subject)
	c := &Change{width: s.width, height: s.height, changed: make([]float32, n), target: make([]float32, n)}
	for i, subject := range s.subject {
		if subject {
			c.target[i] = 1
		}
		if subject != s.before(i) || s.seeds[i] != cutout.Undecided {
			c.changed[i] = 1
		}
	}
	s.closeSeams(c)
	c.touched = c.around(c.changed, margin)
	return c
}

// closeSeams adds to the change what was soft because the mask's border ran there, and
// is inside now: else a line of half-transparent pixels would stay.
func (s *decision) closeSeams(c *Change) {
	for i, near := range c.around(c.changed, margin) {
		if near != 0 && c.changed[i] == 0 && s.inside(i) {
			c.changed[i] = 1
		}
	}
}

// inside says whether a pixel and those around it are on one side.
func (s *decision) inside(i int) bool {
	x, y := i%s.width, i/s.width
	for v := max(0, y-1); v <= min(s.height-1, y+1); v++ {
		for u := max(0, x-1); u <= min(s.width-1, x+1); u++ {
			if s.subject[v*s.width+u] != s.subject[i] {
				return false
			}
		}
	}
	return true
}

// around returns 1 within so many pixels, in a square, of a value that is not 0.
func (c *Change) around(values []float32, radius int) []float32 {
	across, out := make([]float32, len(values)), make([]float32, len(values))
	for y := range c.height {
		spread(values[y*c.width:][:c.width], across[y*c.width:], 1, radius)
	}
	for x := range c.width {
		column := make([]float32, c.height)
		for y := range column {
			column[y] = across[y*c.width+x]
		}
		spread(column, out[x:], c.width, radius)
	}
	return out
}

// spread sets every step-th value of out near one of in that is not 0.
func spread(in, out []float32, step, radius int) {
	end := 0 // all before it is decided
	for i, v := range in {
		if v != 0 {
			for k := max(end, i-radius); k < min(len(in), i+radius+1); k++ {
				out[k*step] = 1
			}
			end = min(len(in), i+radius+1)
		}
	}
}

// Apply returns the mask with the change, which is soft at its border. The error is
// the context's.
func (c *Change) Apply(ctx context.Context, m *cutout.Mask) (*cutout.Mask, error) {
	levels := make([]float32, len(c.target))
	for i, t := range c.target {
		levels[i] = c.changed[i] * t
	}
	out := &cutout.Mask{Width: m.Width, Height: m.Height, Pix: make([]uint8, len(m.Pix))}
	if m.Deep != nil {
		out.Deep = make([]uint16, len(m.Deep))
	}
	return out, c.mix(ctx, out, m, c.changed, func(r *row, x, _ int) float32 { return r.at(levels, x) })
}

// Settle makes certain, in place, what lies too far from the change to matter to the
// edges near it, so that refining passes over it.
func (c *Change) Settle(m *cutout.Mask) {
	near := c.around(c.touched, matters)
	for y := range m.Height {
		row := y * c.height / m.Height * c.width
		levels := m.Pix[y*m.Width:][:m.Width]
		for x, level := range levels {
			if near[row+x*c.width/m.Width] == 0 {
				levels[x] = uint8(int8(level) >> 7) // 0 or 255
			}
		}
	}
}

// Blend sets what is not near the change back to before, a mask of the same size and
// depth, and returns after, which it changes. The error is the context's.
func (c *Change) Blend(ctx context.Context, before, after *cutout.Mask) (*cutout.Mask, error) {
	return after, c.mix(ctx, after, before, c.touched, func(r *row, _, i int) float32 {
		if after.Deep != nil {
			return r.weight * float32(after.Deep[i]) / 65535
		}
		return r.weight * float32(after.Pix[i]) / 255
	})
}

// mix sets out to m with new levels in the places of weight. level returns the new
// level, 0 to 1, times the weight.
func (c *Change) mix(ctx context.Context, out, m *cutout.Mask, weights []float32, level func(r *row, x, i int) float32) error {
	columns, rows := places(m.Width, c.width), places(m.Height, c.height)
	return cutout.Rows(ctx, m.Height, func(from, to int) {
		for y := from; y < to; y++ {
			r := &row{width: c.width, place: rows[y], columns: columns}
			any := r.any(weights)
			for x := range m.Width {
				i := y*m.Width + x
				if any {
					r.weight = r.at(weights, x)
				}
				if r.weight == 0 {
					out.Pix[i] = m.Pix[i]
				} else {
					r.level = level(r, x, i)
					out.Pix[i] = uint8(float32(m.Pix[i])*(1-r.weight) + 255*r.level + 0.5)
				}
				if m.Deep == nil {
					continue
				}
				if r.weight == 0 {
					out.Deep[i] = m.Deep[i]
				} else {
					out.Deep[i] = uint16(float32(m.Deep[i])*(1-r.weight) + 65535*r.level + 0.5)
				}
			}
		}
	})
}

// place is where a pixel lies between two samples of the copy along one axis: t of the
// way from the first to the second.
type place struct {
	first, second int
	t             float32
}

func places(n, samples int) []place {
	all := make([]place, n)
	for i := range all {
		at := max(0, (float64(i)+0.5)*float64(samples)/float64(n)-0.5)
		first := min(int(at), samples-1)
		all[i] = place{first, min(first+1, samples-1), float32(at - float64(first))}
	}
	return all
}

// row interpolates values of the copy along one row of a mask.
type row struct {
	width int
	place

	columns []place
	// weight and level are those of the current pixel.
	weight, level float32
}

func (r *row) any(values []float32) bool {
	for _, y := range [2]int{r.first, r.second} {
		for _, v := range values[y*r.width : (y+1)*r.width] {
			if v != 0 {
				return true
			}
		}
	}
	return false
}

func (r *row) at(values []float32, x int) float32 {
	p := r.columns[x]
	above, below := values[r.first*r.width:], values[r.second*r.width:]
	a := above[p.first] + p.t*(above[p.second]-above[p.first])
	b := below[p.first] + p.t*(below[p.second]-below[p.first])
	return a + r.t*(b-a)
}
