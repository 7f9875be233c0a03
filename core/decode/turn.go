package decode

// turn maps a picture as stored, of width by height, to how it is shown.
type turn struct {
	orientation   int // as in EXIF, 1 to 8
	width, height int
}

// size returns width and height as shown.
func (t turn) size() (width, height int) {
	if t.orientation >= 5 {
		return t.height, t.width
	}
	return t.width, t.height
}

// steps says where, counted in pixels, the stored picture's first pixel goes,
// and how far apart its neighbours to the right and below then are.
func (t turn) steps() (start, right, down int) {
	w, h := t.width, t.height
	switch t.orientation {
	case 2: // mirrored
		return w - 1, -1, w
	case 3: // upside down
		return w*h - 1, -1, -w
	case 4: // mirrored and upside down
		return w * (h - 1), 1, -w
	case 5: // mirrored along the diagonal
		return 0, h, 1
	case 6: // to be turned clockwise
		return h - 1, h, -1
	case 7: // mirrored along the other diagonal
		return w*h - 1, -h, -1
	case 8: // to be turned anticlockwise
		return h * (w - 1), -h, 1
	}
	return 0, 1, w
}

// scatter writes rows of the stored picture, from row lo on, to their places.
func scatter[T uint8 | uint16](t turn, dst, rows []T, lo int) {
	start, right, down := t.steps()
	if t.orientation == 1 {
		copy(dst[4*lo*t.width:], rows)
		return
	}
	count := len(rows) / (4 * t.width)
	for x := range t.width {
		// Down the block's columns: where those become rows, these writes are
		// neighbours, and elsewhere the reads are short.
		to := start + x*right + lo*down
		for y := range count {
			from := 4 * (y*t.width + x)
			copy(dst[4*to:4*to+4], rows[from:from+4])
			to += down
		}
	}
}
