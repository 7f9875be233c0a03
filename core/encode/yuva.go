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
	half := (p.Height + 1) / 2
	return each(ctx, (half+pairs-1)/pairs, func() func(int) error {
		return func(i int) error {
			for row := i * pairs; row < min((i+1)*pairs, half); row++ {
				p.pair(row)
			}
			return nil
		}
	})
}

// pair converts two rows of the photo and one of chroma.
func (p yuva) pair(row int) {
	width := (p.Width + 1) / 2
	for x := range width {
		var r, g, b, weight, plainR, plainG, plainB, n int32
		for y := 2 * row; y < min(2*row+2, p.Height); y++ {
			for x := 2 * x; x < min(2*x+2, p.Width); x++ {
				at := y*p.Width + x
				s := p.Pix[4*at : 4*at+4 : 4*at+4]
				sr, sg, sb, sa := int32(s[0]), int32(s[1]), int32(s[2]), int32(s[3])
				p.a[at] = s[3]
				p.y[at] = luma(sr, sg, sb)
				r, g, b, weight = r+sr*sa, g+sg*sa, b+sb*sa, weight+sa
				plainR, plainG, plainB, n = plainR+sr, plainG+sg, plainB+sb, n+1
			}
		}
		// What is transparent has no say in the colour of its neighbours.
		if weight == 0 {
			r, g, b, weight = plainR, plainG, plainB, n
		}
		at := row*width + x
		p.u[at], p.v[at] = chroma(r, g, b, weight)
	}
}

// The coefficients are libwebp's, in 16.16 fixed point.

func luma(r, g, b int32) byte {
	return byte((16839*r + 33059*g + 6420*b + 16<<16 + 1<<15) >> 16)
}

func chroma(r, g, b, weight int32) (u, v byte) {
	r, g, b = (r+weight/2)/weight, (g+weight/2)/weight, (b+weight/2)/weight
	u = byte((-9719*r - 19081*g + 28800*b + 128<<16 + 1<<15) >> 16)
	v = byte((28800*r - 24116*g - 4684*b + 128<<16 + 1<<15) >> 16)
	return u, v
}
