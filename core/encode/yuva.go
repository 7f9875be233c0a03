package encode

import (
	"context"

	"bgremover.pro/core/cutout"
)

// yuva is a photo to be split into the planes that lossy WebP codes: luma and
// chroma of ITU-R BT.601 in limited range, chroma at half the size, and alpha.
// Doing it here takes all cores and a fifth of the memory that the codec would.
type yuva struct {
	*cutout.Photo
	y, u, v, a []byte
}

func (p yuva) fill(ctx context.Context) error {
	const pairs = 32 // of rows at a time
	return cutout.Strips(ctx, (p.Height+1)/2, pairs, func(from, to int) {
		for row := from; row < to; row++ {
			p.pair(row)
		}
	})
}

// pair converts two rows of the photo and one of chroma.
func (p yuva) pair(row int) {
	top, bottom := 2*row, min(2*row+1, p.Height-1)
	for at := 0; at < p.Width; at += 2 {
		right := min(at+1, p.Width-1)
		var c mean
		for _, i := range [4]int{top*p.Width + at, top*p.Width + right, bottom*p.Width + at, bottom*p.Width + right} {
			s := p.Pix[4*i : 4*i+4 : 4*i+4]
			p.a[i] = s[3]
			p.y[i] = luma(int32(s[0]), int32(s[1]), int32(s[2]))
			c.add(s)
		}
		i := row*((p.Width+1)/2) + at/2
		p.u[i], p.v[i] = chroma(c.colour())
	}
}

// mean averages four pixels. Transparent pixels do not affect the colour of their
// neighbours.
type mean struct{ r, g, b, alpha int32 }

func (m *mean) add(pixel []uint8) {
	a := int32(pixel[3])
	m.r += int32(pixel[0]) * a
	m.g += int32(pixel[1]) * a
	m.b += int32(pixel[2]) * a
	m.alpha += a
}

func (m *mean) colour() (r, g, b int32) {
	switch m.alpha {
	case 0:
		return 0, 0, 0
	case 4 * 255:
		const n = 4 * 255
		return (m.r + n/2) / n, (m.g + n/2) / n, (m.b + n/2) / n
	}
	half := m.alpha / 2
	return (m.r + half) / m.alpha, (m.g + half) / m.alpha, (m.b + half) / m.alpha
}

// The coefficients are libwebp's, in 16.16 fixed point.

func luma(r, g, b int32) byte {
	return byte((16839*r + 33059*g + 6420*b + 16<<16 + 1<<15) >> 16)
}

func chroma(r, g, b int32) (u, v byte) {
	u = byte((-9719*r - 19081*g + 28800*b + 128<<16 + 1<<15) >> 16)
	v = byte((28800*r - 24116*g - 4684*b + 128<<16 + 1<<15) >> 16)
	return u, v
}
