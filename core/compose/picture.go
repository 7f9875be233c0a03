package compose

import (
	"context"

	"bgremover.pro/core/cutout"
)

// Picture lays the photo over the middle of a picture that is scaled to cover
// it, in place. What is transparent in the picture is white.
//
// With w and h the photo's size, v and u the picture's, s = max(w/v, h/u): where
// s is at most one half, the picture is first reduced by averaging blocks of
// floor(1/s) pixels a side, and v, u and s are those of the reduced one. Pixel
// (x, y) is the bilinear sample, with centres at halves and the border's colour
// beyond it, at
//
//	((x + 1/2 - w/2)/s + v/2, (y + 1/2 - h/2)/s + u/2)
func Picture(ctx context.Context, photo, picture *cutout.Photo) error {
	if len(picture.Pix) == 0 {
		return cutout.Errorf(cutout.Invalid, "the background picture is empty")
	}
	block := coveringBlock(picture, photo.Width, photo.Height)
	width, height := ceil(picture.Width, block), ceil(picture.Height, block)
	scale := max(float64(photo.Width)/float64(width), float64(photo.Height)/float64(height))
	columns := covering(photo.Width, width, scale)
	rows := covering(photo.Height, height, scale)
	return lay(ctx, photo, func() func(int, []uint16) {
		source := newReduced(picture, block, columns)
		return func(y int, line []uint16) {
			at := rows[y]
			a, b := source.rows(at.first, at.second)
			for x, column := range columns {
				first, second := column.first-source.left, column.second-source.left
				top := a[first].towards(a[second], column.t)
				bottom := b[first].towards(b[second], column.t)
				c := top.towards(bottom, at.t)
				line[3*x], line[3*x+1], line[3*x+2] = uint16(c.r*65535+0.5), uint16(c.g*65535+0.5), uint16(c.b*65535+0.5)
			}
		}
	})
}

// Covering returns a picture reduced as Picture does it for a photo of the given
// size, in eight bits, so that no more of it than that is kept until then; the
// picture itself where it is not twice as large.
func Covering(ctx context.Context, picture *cutout.Photo, width, height int) (*cutout.Photo, error) {
	block := coveringBlock(picture, width, height)
	if block == 1 {
		return picture, ctx.Err()
	}
	out := &cutout.Photo{Width: ceil(picture.Width, block), Height: ceil(picture.Height, block), Opaque: true}
	out.Pix = make([]uint8, 4*out.Width*out.Height)
	err := cutout.Rows(ctx, out.Height, func(from, to int) {
		for i := from * out.Width; i < to*out.Width; i++ {
			c := overWhite(picture, i%out.Width*block, i/out.Width*block, block)
			p := out.Pix[4*i : 4*i+4 : 4*i+4]
			p[0], p[1], p[2], p[3] = uint8(c.r*255+0.5), uint8(c.g*255+0.5), uint8(c.b*255+0.5), 255
		}
	})
	return out, err
}

func coveringBlock(picture *cutout.Photo, width, height int) int {
	return max(1, min(picture.Width/width, picture.Height/height))
}

// reduced is a picture reduced by blocks, of which only the columns and the two
// rows that are needed are ever held: as a whole it might take more than the photo.
type reduced struct {
	picture     *cutout.Photo
	block, left int
	held        [2][]rgb
	at          [2]int // the rows held, -1 for none
}

func newReduced(picture *cutout.Photo, block int, columns []place) *reduced {
	left := columns[0].first
	n := columns[len(columns)-1].second - left + 1
	return &reduced{picture, block, left, [2][]rgb{make([]rgb, n), make([]rgb, n)}, [2]int{-1, -1}}
}

// rows returns two rows, the second being the first or the one below.
func (r *reduced) rows(first, second int) (a, b []rgb) {
	if r.at[1] == first {
		r.at[0], r.at[1] = r.at[1], r.at[0]
		r.held[0], r.held[1] = r.held[1], r.held[0]
	}
	for i, y := range [2]int{first, second} {
		if r.at[i] == y {
			continue
		}
		for x := range r.held[i] {
			r.held[i][x] = overWhite(r.picture, (r.left+x)*r.block, y*r.block, r.block)
		}
		r.at[i] = y
	}
	return r.held[0], r.held[1]
}

// canvas is a picture of colours without alpha.
type canvas struct {
	width, height int
	pix           []rgb
}

// shrink averages blocks of pixels over white; an incomplete block at the border
// averages what there is.
func shrink(ctx context.Context, picture *cutout.Photo, block int) (*canvas, error) {
	c := &canvas{width: ceil(picture.Width, block), height: ceil(picture.Height, block)}
	c.pix = make([]rgb, c.width*c.height)
	err := cutout.Rows(ctx, c.height, func(from, to int) {
		for y := from; y < to && ctx.Err() == nil; y++ {
			for x := range c.width {
				c.pix[y*c.width+x] = overWhite(picture, x*block, y*block, block)
			}
		}
	})
	return c, err
}

func overWhite(picture *cutout.Photo, left, top, block int) rgb {
	var r, g, b, n int
	for y := top; y < min(top+block, picture.Height); y++ {
		for x := left; x < min(left+block, picture.Width); x++ {
			p := picture.Pix[4*(y*picture.Width+x):][:4]
			a := int(p[3])
			r += int(p[0])*a + 255*(255-a)
			g += int(p[1])*a + 255*(255-a)
			b += int(p[2])*a + 255*(255-a)
			n += 255 * 255
		}
	}
	s := 1 / float32(n)
	return rgb{float32(r) * s, float32(g) * s, float32(b) * s}
}

// covering returns the places of n pixels among count that cover them, scaled
// and centred.
func covering(n, count int, scale float64) []place {
	all := make([]place, n)
	for i := range all {
		at := (float64(i)+0.5-float64(n)/2)/scale + float64(count)/2 - 0.5
		all[i] = placeAt(at, count)
	}
	return all
}
