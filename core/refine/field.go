package refine

// line says how alpha follows from colour: r*R + g*G + b*B + one.
type line struct{ r, g, b, one float32 }

func (l line) at(r, g, b float32) float32 {
	return max(0, min(1, l.r*r+l.g*g+l.b*b+l.one))
}

// towards moves from l to o by t, 0 to 1.
func (l line) towards(o line, t float32) line {
	return line{l.r + t*(o.r-l.r), l.g + t*(o.g-l.g), l.b + t*(o.b-l.b), l.one + t*(o.one-l.one)}
}

// field holds one line a cell; between the cells' centres they blend.
type field struct {
	width, height int
	side          int // photo pixels a side in one cell
	lines         []line
}

// row blends the lines for a row of pixels, of the given size in photo pixels,
// into buffer, one a cell.
func (f *field) row(buffer []line, y, pixel int) []line {
	first, second, t := f.between(y, pixel, f.height)
	a, b := f.lines[first*f.width:][:f.width], f.lines[second*f.width:][:f.width]
	for x := range a {
		buffer[x] = a[x].towards(b[x], t)
	}
	return buffer
}

// between returns the two cells whose centres lie around that of pixel i, and
// how far from the first to the second that is.
func (f *field) between(i, pixel, cells int) (first, second int, t float32) {
	at := (float32(i)+0.5)*float32(pixel)/float32(f.side) - 0.5
	if at <= 0 {
		return 0, 0, 0
	}
	first = int(at)
	if first >= cells-1 {
		return cells - 1, cells - 1, 0
	}
	return first, first + 1, at - float32(first)
}
