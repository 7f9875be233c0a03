package decode

import (
	"image"

	"bgremover.pro/core/decode/internal/colour"
)

// planar is a picture of luma and chroma planes, with alpha or without.
type planar struct {
	*image.YCbCr
	coding colour.Coding
	// alpha is a plane of its own, nil for an opaque picture.
	alpha       []uint8
	alphaStride int
}

// rows converts rows, with chroma interpolated in the way of libjpeg: the near
// sample counts three quarters and the far one a quarter in each direction.
// Taking the nearest, as Go's image package does, leaves steps at edges.
func (p planar) rows() func() func(y int, dst []uint8) {
	matrix := p.coding.Matrix()
	return func() func(int, []uint8) {
		width := p.Rect.Dx()
		c := chroma{planar: p, scratch: make([]int16, 2*width+8)}
		cb, cr := make([]uint8, 2*width+8), make([]uint8, 2*width+8)
		return func(y int, dst []uint8) {
			c.row(p.Cb, y, cb)
			c.row(p.Cr, y, cr)
			at := p.YOffset(p.Rect.Min.X, p.Rect.Min.Y+y)
			matrix.Row(p.Y[at:at+width], cb[:width], cr[:width], dst)
			if p.alpha != nil {
				for i, a := range p.alpha[y*p.alphaStride:][:width] {
					dst[4*i+3] = a
				}
			}
		}
	}
}

// chroma brings one chroma plane to the luma's size, a row at a time.
type chroma struct {
	planar
	scratch []int16
}

func (c *chroma) row(plane []uint8, y int, dst []uint8) {
	width, height := c.Rect.Dx(), c.Rect.Dy()
	half := (width + 1) / 2
	line := func(cy int) []uint8 { return plane[cy*c.CStride:] }
	switch c.SubsampleRatio {
	case image.YCbCrSubsampleRatio444:
		copy(dst, line(y)[:width])
	case image.YCbCrSubsampleRatio422:
		src := line(y)[:half]
		for i, v := range src {
			c.scratch[i] = 4 * int16(v)
		}
		widen(c.scratch[:half], dst)
	case image.YCbCrSubsampleRatio420:
		near, far := line(y / 2)[:half], line(neighbour(y, height))[:half]
		for i, v := range near {
			c.scratch[i] = 3*int16(v) + int16(far[i])
		}
		widen(c.scratch[:half], dst)
	case image.YCbCrSubsampleRatio440:
		near, far := line(y / 2)[:width], line(neighbour(y, height))[:width]
		for i, v := range near {
			dst[i] = uint8((3*int(v) + int(far[i]) + 2) >> 2)
		}
	case image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410:
		src := line(y)
		if c.SubsampleRatio == image.YCbCrSubsampleRatio410 {
			src = line(y / 2)
		}
		for i := range width {
			dst[i] = src[i/4]
		}
	}
}

// neighbour returns the chroma row next nearest to luma row y.
func neighbour(y, height int) int {
	if y%2 == 0 {
		return max(0, y/2-1)
	}
	return min((height-1)/2, y/2+1)
}

// widen doubles a row of samples that are four times their value.
func widen(src []int16, dst []uint8) {
	n := len(src)
	dst = dst[:2*n]
	dst[0], dst[2*n-1] = uint8((src[0]+2)>>2), uint8((src[n-1]+2)>>2)
	for i := 1; i < n; i++ {
		a, b := src[i-1], src[i]
		dst[2*i-1] = uint8((3*a + b + 7) >> 4)
		dst[2*i] = uint8((3*b + a + 8) >> 4)
	}
}
