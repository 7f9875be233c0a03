package refine

import (
	"context"

	"bgremover.pro/core/cutout"
)

// Levels up to certain and from 255-certain on are left alone; from undecided
// on to 255-undecided the fitted alpha stands alone. In between the two blend,
// so that no seam shows where the band ends.
const (
	certain   = 2
	undecided = 6
)

// band is the weight of the fitted alpha at each level of the mask.
var band = func() (t [256]float32) {
	for level := range t {
		t[level] = smoothstep(float32(min(level, 255-level)-certain) / (undecided - certain))
	}
	return t
}()

// improve replaces the grid's undecided alpha by the fitted one.
func (g *grid) improve(ctx context.Context, f *field) error {
	columns, rows := f.places(g.width, g.block, f.width), f.places(g.height, g.block, f.height)
	return cutout.Rows(ctx, g.height, func(from, to int) {
		buffer := make([]line, f.width)
		for y := from; y < to; y++ {
			lines := f.row(buffer, rows[y])
			pix := g.pix[y*g.width:][:g.width]
			for x, undecided := range g.undecided.row(y) {
				if p := &pix[x]; undecided {
					p.a = f.improved(lines, columns[x], p)
				}
			}
		}
	})
}

// improved is the pixel's alpha as the lines have it at its place, so far as they are
// trusted.
func (f *field) improved(lines []line, at place, p *pixel) float32 {
	weight := f.trust.in(lines, at) * band[uint8(p.a*255+0.5)]
	if weight == 0 {
		return p.a
	}
	return p.a + weight*(alpha(lines, at, p.r, p.g, p.b)-p.a)
}

// draw makes the photo's alpha: the fitted one where the mask is undecided,
// else the mask's.
func draw(ctx context.Context, f *field, photo *cutout.Photo, m *cutout.Mask) (*cutout.Mask, error) {
	out := &cutout.Mask{Width: m.Width, Height: m.Height, Pix: make([]uint8, len(m.Pix))}
	drawRow := drawShallow
	if photo.Deep != nil {
		out.Deep = make([]uint16, len(m.Pix))
		drawRow = drawDeep
	}
	columns, rows := f.places(m.Width, 1, f.width), f.places(m.Height, 1, f.height)
	err := cutout.Rows(ctx, m.Height, func(from, to int) {
		buffer := make([]line, f.width)
		for y := from; y < to; y++ {
			drawRow(out, photo, m, y, columns, f.row(buffer, rows[y]), f.trust)
		}
	})
	return out, err
}

// drawShallow draws row y of eight bits.
func drawShallow(out *cutout.Mask, photo *cutout.Photo, m *cutout.Mask, y int, columns []place, lines []line, t trust) {
	start := y * m.Width
	levels, pix := m.Pix[start:][:m.Width], out.Pix[start:][:m.Width]
	colours := photo.Pix[4*start:][:4*m.Width]
	copy(pix, levels)
	for x, level := range levels {
		if level <= certain || level >= 255-certain {
			continue
		}
		weight := t.in(lines, columns[x]) * band[level]
		if weight == 0 {
			continue
		}
		p := colours[4*x : 4*x+4 : 4*x+4]
		fitted := 255 * alpha(lines, columns[x], float32(p[0])/255, float32(p[1])/255, float32(p[2])/255)
		pix[x] = uint8(float32(level) + weight*(fitted-float32(level)) + 0.5)
	}
}

// drawDeep draws row y of sixteen bits, and the same in eight.
func drawDeep(out *cutout.Mask, photo *cutout.Photo, m *cutout.Mask, y int, columns []place, lines []line, t trust) {
	for x := range m.Width {
		i := y*m.Width + x
		level := m.Pix[i]
		deep := uint16(level) * 257
		if m.Deep != nil {
			deep = m.Deep[i]
		}
		if level > certain && level < 255-certain {
			p := photo.Deep[4*i : 4*i+4 : 4*i+4]
			fitted := 65535 * alpha(lines, columns[x], float32(p[0])/65535, float32(p[1])/65535, float32(p[2])/65535)
			deep = uint16(float32(deep) + t.in(lines, columns[x])*band[level]*(fitted-float32(deep)) + 0.5)
		}
		out.Deep[i] = deep
		out.Pix[i] = uint8((uint32(deep)*255 + 32768) >> 16)
	}
}
