package refine

import (
	"context"
	"sync"

	"bgremover.pro/core/cutout"
)

// Levels up to certain and from 255-certain on are left alone; from undecided
// on to 255-undecided the fitted alpha stands alone. In between the two blend,
// so that no seam shows where the band ends.
const (
	certain   = 2
	undecided = 12
)

// trust is the weight of the fitted alpha at each level of the mask.
var trust = func() (t [256]float32) {
	for level := range t {
		d := float32(min(level, 255-level)-certain) / (undecided - certain)
		d = max(0, min(1, d))
		t[level] = d * d * (3 - 2*d)
	}
	return t
}()

// improve replaces the grid's undecided alpha by the fitted one.
func (g *grid) improve(ctx context.Context, f *field) error {
	buffers := sync.Pool{New: func() any { return make([]line, f.width) }}
	return inRows(ctx, g.height, func(y int) {
		buffer := buffers.Get().([]line)
		defer buffers.Put(buffer) //nolint:staticcheck // a slice header a row is cheap
		lines := f.row(buffer, y, g.block)
		row, flags := g.pix[y*g.width:][:g.width], g.undecided.row(y)
		for x := range row {
			if flags[x] {
				first, second, t := f.between(x, g.block, f.width)
				p := &row[x]
				w := trust[uint8(p.a*255+0.5)]
				p.a += w * (lines[first].towards(lines[second], t).at(p.r, p.g, p.b) - p.a)
			}
		}
	})
}

// draw makes the photo's alpha: the fitted one where the mask is undecided,
// else the mask's.
func draw(ctx context.Context, f *field, photo *cutout.Photo, m *cutout.Mask) (*cutout.Mask, error) {
	out := &cutout.Mask{Width: m.Width, Height: m.Height, Pix: make([]uint8, len(m.Pix))}
	if photo.Deep != nil {
		out.Deep = make([]uint16, len(m.Pix))
	}
	buffers := sync.Pool{New: func() any { return make([]line, f.width) }}
	err := inRows(ctx, m.Height, func(y int) {
		buffer := buffers.Get().([]line)
		defer buffers.Put(buffer) //nolint:staticcheck // a slice header a row is cheap
		lines := f.row(buffer, y, 1)
		start, end := y*m.Width, (y+1)*m.Width
		if photo.Deep != nil {
			drawDeep(out, lines, f, photo, m, start, end)
			return
		}
		levels, pix := m.Pix[start:end], out.Pix[start:end]
		copy(pix, levels)
		for x, level := range levels {
			if level <= certain || level >= 255-certain {
				continue
			}
			first, second, t := f.between(x, 1, f.width)
			p := photo.Pix[4*(start+x):][:3]
			l := lines[first].towards(lines[second], t)
			fitted := 255 * l.at(float32(p[0])/255, float32(p[1])/255, float32(p[2])/255)
			pix[x] = uint8(float32(level) + trust[level]*(fitted-float32(level)) + 0.5)
		}
	})
	return out, err
}
