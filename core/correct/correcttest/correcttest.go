// Package correcttest makes photos and strokes whose correction is known.
package correcttest

import (
	"math/rand/v2"

	"bgremover.pro/core/correct"
	"bgremover.pro/core/cutout"
)

// Squares returns a grey photo with a red square at its left and a blue one at its
// right, all with noise, and a matte that has found the red one only.
func Squares(width, height int) (*cutout.Photo, *cutout.Mask) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same noise each time
	photo := &cutout.Photo{Width: width, Height: height, Opaque: true, Pix: make([]uint8, 4*width*height)}
	alpha := &cutout.Mask{Width: width, Height: height, Pix: make([]uint8, width*height)}
	for y := range height {
		for x := range width {
			i := y*width + x
			c := [3]int{128, 128, 128}
			if square(x, y, width, height, 1) {
				c = [3]int{200, 40, 40}
				alpha.Pix[i] = 255
			} else if Right(x, y, width, height) {
				c = [3]int{40, 60, 200}
			}
			for k, v := range c {
				photo.Pix[4*i+k] = uint8(v + random.IntN(21) - 10)
			}
			photo.Pix[4*i+3] = 255
		}
	}
	return photo, alpha
}

// Right says whether a pixel lies in the blue square.
func Right(x, y, width, height int) bool { return square(x, y, width, height, 6) }

// square reports whether a pixel lies in the square that begins at so many tenths.
func square(x, y, w, h, left int) bool {
	return x*10 >= left*w && x*10 < (left+3)*w && y*10 >= 3*h && y*10 < 7*h
}

// Line is a stroke from one place to another, in shares of the longer side.
func Line(keep bool, x0, y0, x1, y1 float32) correct.Stroke {
	const radius = 0.01
	return correct.Stroke{Keep: keep, Points: []correct.Point{{X: x0, Y: y0, Radius: radius}, {X: x1, Y: y1, Radius: radius}}}
}
