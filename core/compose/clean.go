package compose

import "bgremover.pro/core/cutout"

// cleaner decontaminates: it gives half-transparent pixels the subject's own colour.
type cleaner struct {
	photo         *cutout.Photo
	alpha         *cutout.Mask
	estimate      *level
	columns, rows []place
}

func newCleaner(photo *cutout.Photo, alpha *cutout.Mask, estimate *level) *cleaner {
	block := blockSide(photo)
	return &cleaner{
		photo: photo, alpha: alpha, estimate: estimate,
		columns: places(photo.Width, block, estimate.width),
		rows:    places(photo.Height, block, estimate.height),
	}
}

// clean decontaminates row y. Pixels that are transparent in the source already have
// their true colour.
func (c *cleaner) clean(y int) {
	width, at := c.estimate.width, c.rows[y]
	first, second := c.estimate.colours[at.first*width:][:width], c.estimate.colours[at.second*width:][:width]
	start := y * c.photo.Width
	levels := c.alpha.Pix[start:][:c.photo.Width]
	pix := c.photo.Pix[4*start:][:4*c.photo.Width]
	for x := mixed(levels, 0); x < len(levels); x = mixed(levels, x+1) {
		p := pix[4*x : 4*x+4 : 4*x+4]
		if p[3] < 255 {
			continue
		}
		column := c.columns[x]
		near := blended(&first[column.first], &first[column.second], &second[column.first], &second[column.second], column.t, at.t)
		if c.photo.Deep != nil {
			c.cleanDeep(start+x, near)
			continue
		}
		f := near.subjectOf(toRGB(p), float32(levels[x])/255)
		p[0], p[1], p[2] = uint8(f.r*255+0.5), uint8(f.g*255+0.5), uint8(f.b*255+0.5)
	}
}

// cleanDeep does pixel i of a deep photo.
func (c *cleaner) cleanDeep(i int, near colours) {
	a := float32(c.alpha.Pix[i]) / 255
	if c.alpha.Deep != nil {
		a = float32(c.alpha.Deep[i]) / 65535
	}
	d, p := c.photo.Deep[4*i:4*i+4:4*i+4], c.photo.Pix[4*i:4*i+4:4*i+4]
	f := near.subjectOf(rgb{float32(d[0]) / 65535, float32(d[1]) / 65535, float32(d[2]) / 65535}, a)
	d[0], d[1], d[2] = uint16(f.r*65535+0.5), uint16(f.g*65535+0.5), uint16(f.b*65535+0.5)
	p[0], p[1], p[2] = uint8(f.r*255+0.5), uint8(f.g*255+0.5), uint8(f.b*255+0.5)
}

// subjectOf is the subject's colour in a pixel near which the colours are c: what the pixel
// holds besides the background's part, so that some background always explains the photo.
func (c *colours) subjectOf(pixel rgb, a float32) rgb {
	left := c.unexplained(pixel, a, 0)
	background := c.background.plus(1-a, left).clamped()
	return rgb{}.plus(1/a, pixel.plus(a-1, background)).clamped()
}

// blended mixes the colours of four places: a and b across, c and d below them, then down.
// It is in one piece because calls cost much in a browser, and this is done for each
// mixed pixel.
func blended(a, b, c, d *colours, across, down float32) colours {
	top, bottom := a.subject.towards(b.subject, across), c.subject.towards(d.subject, across)
	subject := top.towards(bottom, down)
	top, bottom = a.background.towards(b.background, across), c.background.towards(d.background, across)
	return colours{subject, top.towards(bottom, down)}
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
		all[i] = placeAt((float64(i)+0.5)/float64(block)-0.5, count)
	}
	return all
}

// placeAt is the place at a coordinate, in which pixel i's centre is at i.
func placeAt(at float64, count int) place {
	at = max(0, min(float64(count-1), at))
	first := int(at)
	return place{first, min(first+1, count-1), float32(at - float64(first))}
}
