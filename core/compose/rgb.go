package compose

// rgb is a colour, 0 to 1.
type rgb struct{ r, g, b float32 }

func toRGB(p []uint8) rgb {
	return rgb{float32(p[0]) / 255, float32(p[1]) / 255, float32(p[2]) / 255}
}

// plus returns c + t*o.
func (c rgb) plus(t float32, o rgb) rgb { return rgb{c.r + t*o.r, c.g + t*o.g, c.b + t*o.b} }

// towards returns the colour t of the way from c to o.
func (c rgb) towards(o rgb, t float32) rgb {
	return rgb{c.r + t*(o.r-c.r), c.g + t*(o.g-c.g), c.b + t*(o.b-c.b)}
}

func (c rgb) clamped() rgb { return rgb{clamp(c.r), clamp(c.g), clamp(c.b)} }

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
