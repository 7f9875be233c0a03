// Package refine brings a mask from the model's size to the photo's.
package refine

import (
	"context"

	"bgremover.pro/core/cutout"
)

// Refine returns the alpha matte of the photo, at its size.
func Refine(ctx context.Context, photo *cutout.Photo, m *cutout.Mask) (*cutout.Mask, error) {
	alpha := &cutout.Mask{Width: photo.Width, Height: photo.Height, Pix: make([]uint8, photo.Width*photo.Height)}
	for y := range photo.Height {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sy := position(y, photo.Height, m.Height)
		for x := range photo.Width {
			alpha.Pix[y*photo.Width+x] = sample(m, position(x, photo.Width, m.Width), sy)
		}
	}
	return alpha, nil
}

// position maps the centre of target sample i to the source, in 1/256.
func position(i, target, source int) int {
	return max(0, min((source-1)*256, (2*i+1)*source*128/target-128))
}

func sample(m *cutout.Mask, sx, sy int) uint8 {
	x, y, u, v := sx>>8, sy>>8, sx&255, sy&255
	right, down := min(x+1, m.Width-1), min(y+1, m.Height-1)
	top := int(m.Pix[y*m.Width+x])*(256-u) + int(m.Pix[y*m.Width+right])*u
	bottom := int(m.Pix[down*m.Width+x])*(256-u) + int(m.Pix[down*m.Width+right])*u
	return uint8((top*(256-v) + bottom*v + 1<<15) >> 16)
}
