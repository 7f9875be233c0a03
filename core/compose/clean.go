package compose

import (
	"context"

	"bgremover.pro/core/cutout"
)

// last is the weight of the estimate against the photo's own pixel in the last
// step: next to nothing, so that the cut-out over the estimated background is
// the photo again.
const last = 1e-3

// clean replaces the colours of half-transparent pixels by the subject's own.
// Pixels that the source itself made transparent have their true colour.
func clean(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask) error {
	l, err := estimate(ctx, photo, alpha)
	if err != nil {
		return err
	}
	block := blockSide(photo)
	columns, rows := places(photo.Width, block, l.width), places(photo.Height, block, l.height)
	return cutout.Rows(ctx, photo.Height, func(from, to int) {
		for y := from; y < to; y++ {
			first, second := l.colours[rows[y].first*l.width:][:l.width], l.colours[rows[y].second*l.width:][:l.width]
			for x, at := range columns {
				i := y*photo.Width + x
				m := alpha.Pix[i]
				if m == 0 || m == 255 || photo.Pix[4*i+3] < 255 {
					continue
				}
				c := first[at.first].towards(first[at.second], at.t).towards(
					second[at.first].towards(second[at.second], at.t), rows[y].t)
				if photo.Deep != nil {
					cleanDeep(photo, alpha, i, c)
					continue
				}
				p := photo.Pix[4*i : 4*i+4 : 4*i+4]
				f := c.explaining(rgb{float32(p[0]) / 255, float32(p[1]) / 255, float32(p[2]) / 255}, float32(m)/255, last, 1).subject
				p[0], p[1], p[2] = uint8(f.r*255+0.5), uint8(f.g*255+0.5), uint8(f.b*255+0.5)
			}
		}
	})
}

// cleanDeep is the last step for pixel i of a deep photo.
func cleanDeep(photo *cutout.Photo, alpha *cutout.Mask, i int, c colours) {
	a := float32(alpha.Pix[i]) / 255
	if alpha.Deep != nil {
		a = float32(alpha.Deep[i]) / 65535
	}
	d, p := photo.Deep[4*i:4*i+4:4*i+4], photo.Pix[4*i:4*i+4:4*i+4]
	f := c.explaining(rgb{float32(d[0]) / 65535, float32(d[1]) / 65535, float32(d[2]) / 65535}, a, last, 1).subject
	d[0], d[1], d[2] = uint16(f.r*65535+0.5), uint16(f.g*65535+0.5), uint16(f.b*65535+0.5)
	p[0], p[1], p[2] = uint8(f.r*255+0.5), uint8(f.g*255+0.5), uint8(f.b*255+0.5)
}

func (c colours) towards(o colours, t float32) colours {
	return colours{c.subject.towards(o.subject, t), c.background.towards(o.background, t)}
}

// place is where a pixel lies among the level's along one axis: between the
// centres of two, t of the way from the first to the second.
type place struct {
	first, second int
	t             float32
}

// places returns the places of n photo pixels among count pixels of a level
// that averages blocks of them.
func places(n, block, count int) []place {
	all := make([]place, n)
	for i := range all {
		at := (float64(i)+0.5)/float64(block) - 0.5
		at = max(0, min(float64(count-1), at))
		first := int(at)
		all[i] = place{first, min(first+1, count-1), float32(at - float64(first))}
	}
	return all
}
