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
	return layStrips(ctx, photo, func() func(y int, line []uint16) {
		source := newRows(picture, block, width)
		return func(y int, line []uint16) {
			at := rows[y]
			a, b := source.row(at.first), source.row(at.second)
			for x, column := range columns {
				top := a[column.first].towards(a[column.second], column.t)
				bottom := b[column.first].towards(b[column.second], column.t)
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

// rows makes rows of a reduced picture when they are asked for: as a whole, in
// floats, it would take three times the picture's own memory.
type rows struct {
	picture *cutout.Photo
	block   int
	kept    [2][]rgb // row y, once made, is kept[y%2]
	holds   [2]int
}

func newRows(picture *cutout.Photo, block, width int) *rows {
	return &rows{picture, block, [2][]rgb{make([]rgb, width), make([]rgb, width)}, [2]int{-1, -1}}
}

func (r *rows) row(y int) []rgb {
	row := r.kept[y%2]
	if r.holds[y%2] != y {
		r.holds[y%2] = y
		for x := range row {
			row[x] = overWhite(r.picture, x*r.block, y*r.block, r.block)
		}
	}
	return row
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
		for y := from; y < to; y++ {
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
