package compose

import (
	"context"

	"bgremover.pro/core/cutout"
)

// Smaller returns a copy of a photo, in eight bits, in which each pixel is the average of
// a block of pixels, weighted by their alpha. Blocks are as large as they can be with the
// long side at least of the given length; the photo itself is returned where it is not
// twice as long.
func Smaller(ctx context.Context, photo *cutout.Photo, long int) (*cutout.Photo, error) {
	block := max(photo.Width, photo.Height) / long
	if block < 2 {
		return photo, ctx.Err()
	}
	out := &cutout.Photo{Width: ceil(photo.Width, block), Height: ceil(photo.Height, block), Opaque: photo.Opaque}
	out.Pix = make([]uint8, 4*out.Width*out.Height)
	err := cutout.Rows(ctx, out.Height, func(from, to int) {
		sums := make([]uint64, 4*out.Width)
		for y := from; y < to; y++ {
			bottom := min((y+1)*block, photo.Height)
			clear(sums)
			for j := y * block; j < bottom; j++ {
				addBlocks(sums, photo.Pix[4*j*photo.Width:][:4*photo.Width], block)
			}
			row := out.Pix[4*y*out.Width:][:4*out.Width]
			for x := range out.Width {
				across := min((x+1)*block, photo.Width) - x*block
				mean(row[4*x:][:4], sums[4*x:][:4], uint64(across*(bottom-y*block)))
			}
		}
	})
	return out, err
}

// addBlocks adds a row of pixels to the sums of its blocks: of colours times alpha, and of
// alpha.
func addBlocks(sums []uint64, row []uint8, block int) {
	for ; len(sums) >= 4; sums = sums[4:] {
		part := row[:min(4*block, len(row))]
		row = row[len(part):]
		var r, g, b, a uint32
		for ; len(part) >= 4; part = part[4:] {
			alpha := uint32(part[3])
			r += uint32(part[0]) * alpha
			g += uint32(part[1]) * alpha
			b += uint32(part[2]) * alpha
			a += alpha
		}
		sums[0] += uint64(r)
		sums[1] += uint64(g)
		sums[2] += uint64(b)
		sums[3] += uint64(a)
	}
}

// mean writes the pixel that a block of n pixels has on average.
func mean(pixel []uint8, sums []uint64, n uint64) {
	alpha := sums[3]
	if alpha == 0 {
		return
	}
	for c := range 3 {
		pixel[c] = uint8((sums[c] + alpha/2) / alpha)
	}
	pixel[3] = uint8((alpha + n/2) / n)
}
