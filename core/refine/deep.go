package refine

import "bgremover.pro/core/cutout"

// drawDeep is draw for the pixels from start to end, one row, of a deep photo.
func drawDeep(out *cutout.Mask, lines []line, f *field, photo *cutout.Photo, m *cutout.Mask, start, end int) {
	for i := start; i < end; i++ {
		level := m.Pix[i]
		deep := uint16(level) * 257
		if m.Deep != nil {
			deep = m.Deep[i]
		}
		if level > certain && level < 255-certain {
			first, second, t := f.between(i-start, 1, f.width)
			p := photo.Deep[4*i:][:3]
			l := lines[first].towards(lines[second], t)
			fitted := 65535 * l.at(float32(p[0])/65535, float32(p[1])/65535, float32(p[2])/65535)
			deep = uint16(float32(deep) + trust[level]*(fitted-float32(deep)) + 0.5)
		}
		out.Deep[i] = deep
		out.Pix[i] = uint8((uint32(deep)*255 + 32768) >> 16)
	}
}
