// Package complete lets a person's seeds decide what belongs to the subject where the model
// was wrong. A point is enough: the photo's own colours show how far the part that it lies
// on reaches. Colours are modelled as in GrabCut (Rother, Kolmogorov and Blake 2004) on a
// small copy of the photo, and the cheapest border is found as a minimum cut.
//
// Without seeds nothing is changed: on ordinary photos colours alone made masks worse that
// mask.Join had joined (see mask.Join).
package complete

import (
	"context"
	"math"

	"bgremover.pro/core/cutout"
)

// side is the longer side of the small copy, in pixels; the work is the same for
// any photo.
const side = 320

// Copy is the small copy of a photo that is decided on. It is read-only, so that
// one copy serves all strokes of a correction.
type Copy struct {
	width, height int
	palette       palette
	borders       [8][]int32 // the cost of a border, as the grid's arcs
}

// Reduce makes the copy. The error is the context's.
func Reduce(ctx context.Context, photo *cutout.Photo) (*Copy, error) {
	scale := min(1, float64(side)/float64(max(photo.Width, photo.Height)))
	c := &Copy{
		width:  max(1, int(math.Round(scale*float64(photo.Width)))),
		height: max(1, int(math.Round(scale*float64(photo.Height)))),
	}
	pix := make([][3]float64, c.width*c.height)
	err := cutout.Strips(ctx, c.height, 4, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range c.width {
				pix[y*c.width+x] = colourOf(photo, x, y, c.width, c.height)
			}
		}
	})
	c.palette = newPalette(pix)
	c.join(pix)
	return c, err
}

// Complete returns the mask as the seeds correct it; m itself where there are none.
// Each part that changes touches a seed that asks for it, and the seeds themselves
// are obeyed. Seeds may have any size; they are spread over the whole photo. The
// error is the context's.
func Complete(ctx context.Context, photo *cutout.Photo, m *cutout.Mask, seeds *cutout.Seeds) (*cutout.Mask, error) {
	if seeds.Empty() {
		return m, nil
	}
	c, err := Reduce(ctx, photo)
	if err != nil {
		return nil, err
	}
	change, err := c.Decide(ctx, m, seeds)
	if err != nil {
		return nil, err
	}
	return change.Apply(ctx, m)
}

// span is what sample i of n covers of m samples; at least one.
func span(i, n, m int) (from, to int) {
	from = i * m / n
	return from, max(from+1, (i+1)*m/n)
}

// colourOf averages what a pixel of the copy covers.
func colourOf(photo *cutout.Photo, x, y, width, height int) (mean [3]float64) {
	left, right := span(x, width, photo.Width)
	top, bottom := span(y, height, photo.Height)
	var red, green, blue int
	for j := top; j < bottom; j++ {
		for p := photo.Pix[4*(j*photo.Width+left) : 4*(j*photo.Width+right)]; len(p) >= 4; p = p[4:] {
			red += int(p[0])
			green += int(p[1])
			blue += int(p[2])
		}
	}
	n := float64((right - left) * (bottom - top))
	return [3]float64{float64(red) / n, float64(green) / n, float64(blue) / n}
}

// Levels averages a mask of the photo to the copy's size. Decide makes of the result
// what it makes of the mask.
func (c *Copy) Levels(m *cutout.Mask) *cutout.Mask {
	levels := &cutout.Mask{Width: c.width, Height: c.height, Pix: make([]uint8, c.width*c.height)}
	for i := range levels.Pix {
		levels.Pix[i] = levelOf(m, i%c.width, i/c.width, c.width, c.height)
	}
	return levels
}

// levelOf averages the mask's levels in the same way.
func levelOf(m *cutout.Mask, x, y, width, height int) uint8 {
	left, right := span(x, width, m.Width)
	top, bottom := span(y, height, m.Height)
	sum := 0
	for j := top; j < bottom; j++ {
		for _, level := range m.Pix[j*m.Width+left : j*m.Width+right] {
			sum += int(level)
		}
	}
	n := (right - left) * (bottom - top)
	return uint8((sum + n/2) / n)
}

// join computes the cost of a border between neighbours, which falls with their
// colours' distance.
func (c *Copy) join(pix [][3]float64) {
	g := newGrid(c.width, c.height)
	mean, n := 0.0, 0
	c.pairs(func(i, j, _ int) {
		mean += distance(pix[i], pix[j])
		n++
	})
	if mean == 0 {
		mean, n = 1, 1
	}
	fall := float64(n) / (2 * mean)
	c.pairs(func(i, j, d int) {
		cost := smoothness * math.Exp(-fall*distance(pix[i], pix[j]))
		if d >= 4 {
			cost /= math.Sqrt2
		}
		units := int32(cost / unit)
		g.arcs[d][g.node(i%c.width, i/c.width)], g.arcs[d^1][g.node(j%c.width, j/c.width)] = units, units
	})
	c.borders = g.arcs
}

// pairs calls do once for each two neighbours, j being that of i in direction d.
func (c *Copy) pairs(do func(i, j, d int)) {
	for d := 0; d < len(around); d += 2 {
		by := around[d]
		for y := max(0, -by[1]); y < min(c.height, c.height-by[1]); y++ {
			for x := max(0, -by[0]); x < min(c.width, c.width-by[0]); x++ {
				i := y*c.width + x
				do(i, i+by[1]*c.width+by[0], d)
			}
		}
	}
}

func distance(a, b [3]float64) float64 {
	x, y, z := a[0]-b[0], a[1]-b[1], a[2]-b[2]
	return x*x + y*y + z*z
}
