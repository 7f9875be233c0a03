package refine

import (
	"context"
	"math"

	"bgremover.pro/core/cutout"
)

// gridSide is about the grid's long side: that of the models' masks, which contain
// no finer detail to learn from.
const gridSide = 1024

// grid is the photo and its mask, reduced by averaging blocks of pixels.
type grid struct {
	width, height int
	block         int // photo pixels a side in one grid pixel
	long          int // the photo's long side
	// pix holds colour, alpha, and the mask's original alpha, 0 to 1. Colour is set
	// only near the undecided band; elsewhere it is not read.
	pix []pixel
	// undecided marks the pixels where the mask is neither 0 nor 1.
	undecided *flags
}

type pixel struct{ r, g, b, a, masked float32 }

// reduce averages photo and mask onto a grid.
func reduce(ctx context.Context, photo *cutout.Photo, m *cutout.Mask) (*grid, error) {
	long := max(photo.Width, photo.Height)
	block := max(1, int(math.Round(float64(long)/gridSide)))
	g := &grid{
		width: ceil(photo.Width, block), height: ceil(photo.Height, block),
		block: block, long: long,
	}
	g.pix = make([]pixel, g.width*g.height)
	g.undecided = newFlags(g.width, g.height)
	if err := g.rows(ctx, func(y int) { g.reduceMask(m, y) }); err != nil {
		return nil, err
	}
	reach := 0
	for _, p := range passes {
		reach = max(reach, p.reach(g))
	}
	near := g.undecided.near(reach)
	err := g.rows(ctx, func(y int) { g.reducePhoto(photo, near, y) })
	return g, err
}

// reduceMask fills the alpha of grid row y.
func (g *grid) reduceMask(m *cutout.Mask, y int) {
	sums := make([]int, g.width)
	top, bottom := y*g.block, min((y+1)*g.block, m.Height)
	for j := top; j < bottom; j++ {
		levels := m.Pix[j*m.Width:][:m.Width]
		for x := range sums {
			n := min(g.block, len(levels))
			for _, v := range levels[:n] {
				sums[x] += int(v)
			}
			levels = levels[n:]
		}
	}
	row, flags := g.pix[y*g.width:][:g.width], g.undecided.row(y)
	for x, sum := range sums {
		n := (min((x+1)*g.block, m.Width) - x*g.block) * (bottom - top)
		row[x].masked = float32(sum) / float32(255*n)
		row[x].a = row[x].masked
		flags[x] = sum > n/2 && sum < 255*n-n/2
	}
}

// reducePhoto fills the colours of grid row y near the undecided band.
func (g *grid) reducePhoto(photo *cutout.Photo, near *flags, y int) {
	row, flags := g.pix[y*g.width:][:g.width], near.row(y)
	top, bottom := y*g.block, min((y+1)*g.block, photo.Height)
	for x := range row {
		if !flags[x] {
			continue
		}
		left, right := x*g.block, min((x+1)*g.block, photo.Width)
		var red, green, blue int
		for j := top; j < bottom; j++ {
			p := photo.Pix[4*(j*photo.Width+left) : 4*(j*photo.Width+right)]
			for ; len(p) >= 4; p = p[4:] {
				red += int(p[0])
				green += int(p[1])
				blue += int(p[2])
			}
		}
		n := 1 / float32(255*(right-left)*(bottom-top))
		row[x].r, row[x].g, row[x].b = float32(red)*n, float32(green)*n, float32(blue)*n
	}
}

// rows calls do for each row of the grid, in parallel.
func (g *grid) rows(ctx context.Context, do func(y int)) error {
	return cutout.Rows(ctx, g.height, func(from, to int) {
		for y := from; y < to; y++ {
			do(y)
		}
	})
}

func ceil(n, by int) int { return (n + by - 1) / by }
