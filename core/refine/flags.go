package refine

import "slices"

// flags is a bitmap, one flag a pixel.
type flags struct {
	width, height int
	set           []bool
}

func newFlags(width, height int) *flags {
	return &flags{width, height, make([]bool, width*height)}
}

func (f *flags) row(y int) []bool { return f.set[y*f.width:][:f.width] }

// near returns the pixels within a square of the given radius around a set one.
func (f *flags) near(radius int) *flags {
	across := newFlags(f.width, f.height)
	for y := range f.height {
		spread(across.row(y), f.row(y), radius)
	}
	// The same along columns: the last row in which each column was set, seen
	// from above, then from below.
	out := newFlags(f.width, f.height)
	across.sweep(out, radius, 0, 1)
	across.sweep(out, radius, f.height-1, -1)
	return out
}

// spread sets in out what lies within radius of a set flag of in.
func spread(out, in []bool, radius int) {
	end := 0 // all before it is set or decided
	for x, set := range in {
		if set {
			for i := max(end, x-radius); i < min(len(in), x+radius+1); i++ {
				out[i] = true
			}
			end = min(len(in), x+radius+1)
		}
	}
}

// sweep sets in out what lies within radius rows after a set flag, going from
// row start in steps of step.
func (f *flags) sweep(out *flags, radius, start, step int) {
	left := make([]int, f.width)
	for y := start; y >= 0 && y < f.height; y += step {
		in, to := f.row(y), out.row(y)
		for x := range in {
			if in[x] {
				left[x] = radius + 1
			}
			if left[x] > 0 {
				to[x] = true
				left[x]--
			}
		}
	}
}

// cells returns the flags of cells of the given side: set where any pixel is.
func (f *flags) cells(side int) *flags {
	out := newFlags(ceil(f.width, side), ceil(f.height, side))
	for y := range f.height {
		in, to := f.row(y), out.row(y/side)
		for cell := range to {
			to[cell] = to[cell] || slices.Contains(in[cell*side:min((cell+1)*side, f.width)], true)
		}
	}
	return out
}
