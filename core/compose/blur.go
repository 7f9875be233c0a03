package compose

import (
	"context"
	"math"

	"bgremover.pro/core/cutout"
)

const (
	// blurSide is about the long side that a blurred picture is kept at.
	blurSide = 256
	// blurRadius of the box at the most, as a share of the long side.
	blurRadius = 0.05
	// blurFloor is the weight of what the subject hides.
	blurFloor = 1.0 / 128
)

// Blurred returns a small copy of what lies behind the subject, blurred by so many per
// cent of the most, for Picture. It must be made before Cutout takes the background's colours away.
//
// Photo and alpha are averaged over blocks of ceil(long side/256) pixels a side.
// Weights 1 - alpha + 1/128, and colours times weights, are blurred by three
// passes of a box of 2*round(0.05*percent/100*grid's long side)+1 pixels, across then down,
// the border's pixels repeated; their quotient is the picture. So the subject
// leaves no halo in the background.
func Blurred(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask, percent int) (*cutout.Photo, error) {
	block := max(1, ceil(max(photo.Width, photo.Height), blurSide))
	c, err := shrink(ctx, photo, block)
	if err != nil {
		return nil, err
	}
	a, err := shrinkLevels(ctx, alpha.Pix, 1, alpha.Width, alpha.Height, block)
	if err != nil {
		return nil, err
	}
	planes := [4][]float32{}
	for i := range planes {
		planes[i] = make([]float32, len(c.pix))
	}
	for i, p := range c.pix {
		w := 1 - a[i] + blurFloor
		planes[0][i], planes[1][i], planes[2][i], planes[3][i] = p.r*w, p.g*w, p.b*w, w
	}
	radius := int(math.Round(blurRadius * float64(percent) / 100 * float64(max(c.width, c.height))))
	for _, plane := range planes {
		blur(plane, c.width, c.height, radius, radius)
	}
	out := &cutout.Photo{Width: c.width, Height: c.height, Opaque: true, Pix: make([]uint8, 4*len(c.pix))}
	for i, w := range planes[3] {
		f := rgb{planes[0][i] / w, planes[1][i] / w, planes[2][i] / w}.clamped()
		p := out.Pix[4*i : 4*i+4 : 4*i+4]
		p[0], p[1], p[2], p[3] = uint8(f.r*255+0.5), uint8(f.g*255+0.5), uint8(f.b*255+0.5), 255
	}
	return out, ctx.Err()
}

// shrinkLevels averages blocks of levels, 0 to 1. Of a picture's pixels, step
// bytes each, the last byte is the level.
func shrinkLevels(ctx context.Context, pix []uint8, step, width, height, block int) ([]float32, error) {
	columns, rows := ceil(width, block), ceil(height, block)
	out := make([]float32, columns*rows)
	return out, cutout.Rows(ctx, rows, func(from, to int) {
		for i := from * columns; i < to*columns && ctx.Err() == nil; i++ {
			left, top := i%columns*block, i/columns*block
			right, bottom := min(left+block, width), min(top+block, height)
			sum := 0
			for y := top; y < bottom; y++ {
				line := pix[step*(y*width+left) : step*(y*width+right)]
				for x := step - 1; x < len(line); x += step {
					sum += int(line[x])
				}
			}
			out[i] = float32(sum) / float32(255*(right-left)*(bottom-top))
		}
	})
}

// blur averages a plane three times over boxes of 2*across+1 by 2*down+1, which
// comes close to a Gaussian.
func blur(plane []float32, width, height, across, down int) {
	line := make([]float64, max(width, height))
	for range 3 {
		for y := range height {
			box(plane[y*width:], width, 1, across, line)
		}
		for x := range width {
			box(plane[x:], height, width, down, line)
		}
	}
}

// box averages the n samples that lie step apart, with those beyond either end
// equal to the outermost.
func box(samples []float32, n, step, radius int, line []float64) {
	for i := range n {
		line[i] = float64(samples[i*step])
	}
	at := func(i int) float64 { return line[max(0, min(n-1, i))] }
	sum := 0.0
	for i := -radius; i <= radius; i++ {
		sum += at(i)
	}
	for i := range n {
		samples[i*step] = float32(sum / float64(2*radius+1))
		sum += at(i+radius+1) - at(i-radius)
	}
}
