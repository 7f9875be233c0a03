package compose

import (
	"context"

	"bgremover.pro/core/cutout"
)

// Spread gives fully transparent pixels colours that continue those of the pixels
// nearest to them, in place, in eight bits: for files that hold colours and alpha
// apart and would otherwise blur one into the other at the edge.
//
// Colours are averaged by alpha over blocks as the pyramid has them, and those again
// over two by two until one is left; a cell without colour takes that of the cell it
// belongs to on the level above. Pixels are sampled bilinearly.
func Spread(ctx context.Context, photo *cutout.Photo) error {
	block := blockSide(photo)
	g := newSpread(ceil(photo.Width, block), ceil(photo.Height, block))
	err := cutout.Rows(ctx, g.height, func(from, to int) {
		for i := from * g.width; i < to*g.width; i++ {
			g.cells[i] = visibleMean(photo, i%g.width*block, i/g.width*block, block)
		}
	})
	if err != nil {
		return err
	}
	g.fill()
	columns, rows := places(photo.Width, block, g.width), places(photo.Height, block, g.height)
	return cutout.Rows(ctx, photo.Height, func(from, to int) {
		for y := from; y < to; y++ {
			at := rows[y]
			a, b := g.cells[at.first*g.width:][:g.width], g.cells[at.second*g.width:][:g.width]
			for x, column := range columns {
				p := photo.Pix[4*(y*photo.Width+x):][:4]
				if p[3] > 0 {
					continue
				}
				top := a[column.first].towards(a[column.second].rgb, column.t)
				c := top.towards(b[column.first].towards(b[column.second].rgb, column.t), at.t).clamped()
				p[0], p[1], p[2] = uint8(c.r*255+0.5), uint8(c.g*255+0.5), uint8(c.b*255+0.5)
			}
		}
	})
}

// spread is one level: mean colours, and whether any is known.
type spread struct {
	width, height int
	cells         []cell
}

type cell struct {
	rgb
	weight float32
}

func newSpread(width, height int) *spread {
	return &spread{width, height, make([]cell, width*height)}
}

// fill gives every cell a colour; white where nothing is visible.
func (s *spread) fill() {
	if len(s.cells) == 1 {
		if s.cells[0].weight == 0 {
			s.cells[0].rgb = rgb{1, 1, 1}
		}
		return
	}
	above := newSpread(ceil(s.width, 2), ceil(s.height, 2))
	for i, c := range s.cells {
		m := &above.cells[i/s.width/2*above.width+i%s.width/2]
		m.rgb = m.plus(c.weight, c.rgb)
		m.weight += c.weight
	}
	for i, m := range above.cells {
		if m.weight > 0 {
			above.cells[i] = cell{rgb{}.plus(1/m.weight, m.rgb), min(1, m.weight)}
		}
	}
	above.fill()
	for i := range s.cells {
		if s.cells[i].weight == 0 {
			s.cells[i].rgb = above.cells[i/s.width/2*above.width+i%s.width/2].rgb
		}
	}
}

// visibleMean is the mean colour of a block, weighted by alpha.
func visibleMean(photo *cutout.Photo, left, top, block int) cell {
	var r, g, b, a int
	for y := top; y < min(top+block, photo.Height); y++ {
		for x := left; x < min(left+block, photo.Width); x++ {
			p := photo.Pix[4*(y*photo.Width+x):][:4]
			w := int(p[3])
			r, g, b, a = r+int(p[0])*w, g+int(p[1])*w, b+int(p[2])*w, a+w
		}
	}
	if a == 0 {
		return cell{}
	}
	s := 1 / float32(255*a)
	return cell{rgb{float32(r) * s, float32(g) * s, float32(b) * s}, 1}
}
