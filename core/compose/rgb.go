package compose

// rgb is a colour, 0 to 1.
type rgb struct{ r, g, b float32 }

// plus returns c + t*o.
func (c rgb) plus(t float32, o rgb) rgb { return rgb{c.r + t*o.r, c.g + t*o.g, c.b + t*o.b} }

// towards returns the colour t of the way from c to o.
func (c rgb) towards(o rgb, t float32) rgb {
	return rgb{c.r + t*(o.r-c.r), c.g + t*(o.g-c.g), c.b + t*(o.b-c.b)}
}

func (c rgb) clamped() rgb {
	return rgb{max(0, min(1, c.r)), max(0, min(1, c.g)), max(0, min(1, c.b))}
}
