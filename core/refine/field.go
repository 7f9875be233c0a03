package refine

// line says how alpha follows from colour: r*R + g*G + b*B + one.
type line struct {
	r, g, b, one float32
	// varies is the variance of alpha in the window, explained how much of it the line
	// explains. They are kept apart, and blended apart: next to an edge there are windows
	// in which alpha hardly varies, and what little varies there must not make the edge
	// doubtful.
	varies, explained float32
}

// flat is the variance of alpha below which there is nothing to explain.
const flat = 1e-3

// trust is the share of alpha's variance up to which a line that explains it counts
// for nothing against the mask, and that from which on it counts alone: where
// subject and background share their colours, colour must not punch holes into
// either.
type trust struct{ none, full float32 }

// in is the weight, against the mask's, of alpha as the lines of a row have it at a place.
func (t trust) in(lines []line, at place) float32 {
	l, o := &lines[at.first], &lines[at.second]
	varies := mix(l.varies, o.varies, at.t)
	if varies < flat {
		varies = flat
	}
	return smoothstep((mix(l.explained, o.explained, at.t)/varies - t.none) / (t.full - t.none))
}

// alpha is what the lines of a row make of a colour at a place.
func alpha(lines []line, at place, r, g, b float32) float32 {
	l, o := &lines[at.first], &lines[at.second]
	return clamp(mix(l.r, o.r, at.t)*r + mix(l.g, o.g, at.t)*g + mix(l.b, o.b, at.t)*b + mix(l.one, o.one, at.t))
}

// mix moves from a to b by t, 0 to 1.
func mix(a, b, t float32) float32 { return a + t*(b-a) }

// smoothstep rises smoothly from 0 at 0 to 1 at 1.
func smoothstep(t float32) float32 {
	t = clamp(t)
	return t * t * (3 - 2*t)
}

// clamp is max(0, min(1, v)), without their slow handling of NaN.
func clamp(v float32) float32 {
	if v < 0 {
		return 0
	}
	if v > 1 {
		return 1
	}
	return v
}

// field holds one line a cell; between the cells' centres they blend.
type field struct {
	width, height int
	side          int // photo pixels a side in one cell
	trust         trust
	lines         []line
	fitted        *flags // which cells have a line; the others' trust nothing
}

// row blends two rows of lines into buffer, one a cell.
func (f *field) row(buffer []line, at place) []line {
	first, second := int(at.first), int(at.second)
	a, b := f.lines[first*f.width:][:f.width], f.lines[second*f.width:][:f.width]
	below := f.fitted.row(second)
	for x, above := range f.fitted.row(first) {
		if above || below[x] {
			l, o := &a[x], &b[x]
			buffer[x] = line{mix(l.r, o.r, at.t), mix(l.g, o.g, at.t), mix(l.b, o.b, at.t), mix(l.one, o.one, at.t), mix(l.varies, o.varies, at.t), mix(l.explained, o.explained, at.t)}
		} else {
			buffer[x] = line{}
		}
	}
	return buffer
}

// place is where a pixel lies among the cells of one axis: between the centres
// of two, t of the way from the first to the second.
type place struct {
	first, second int32
	t             float32
}

// places returns the places of n pixels, each of the given size in photo
// pixels, among the cells.
func (f *field) places(n, pixel, cells int) []place {
	all := make([]place, n)
	for i := range all {
		at := (float64(i)+0.5)*float64(pixel)/float64(f.side) - 0.5
		at = max(0, min(float64(cells-1), at))
		first := int32(at)
		all[i] = place{first, min(first+1, int32(cells-1)), float32(at - float64(first))}
	}
	return all
}
