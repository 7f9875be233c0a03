package compose

import (
	"context"
	"math"

	"bgremover.pro/core/cutout"
)

const (
	// shadowSide is about the long side of the grid that a shadow is made on.
	shadowSide = 512
	// foot is how much of the subject's height stands on the ground.
	foot = 0.1
	// The shadow's half height and the radii of its blur, as shares of the
	// subject's longer side.
	shadowHeight, shadowAcross, shadowDown = 0.008, 0.03, 0.012
)

// Shadow draws a soft contact shadow under the subject, in place: black, of the
// given opacity, 0 to 1, where it is darkest. A subject that the photo's lower
// border cuts off stands on nothing that shows, and gets none.
//
// Alpha is averaged over blocks of max(1, round(long side/512)) pixels a side.
// On that grid, let b be the row below the lowest cell of at least 0.05, h and l
// the height and the longer side of the cells that have that. The foot of
// column x is f(x), the greatest alpha in the rows from b - ceil(0.1*h) to b-1.
// A plane that holds f(x) in the rows from b-t to b+t-1, t = max(1,
// round(0.008*l)), and else 0, is blurred by three passes of a box of
// 2*round(0.03*l)+1 by 2*round(0.012*l)+1 cells, across then down, and divided
// by its greatest value. Sampled bilinearly and times the opacity, it is the
// shadow's alpha s; a pixel of alpha a and colour c becomes one of alpha
// a + s*(1-a) and colour c*a / (a + s*(1-a)).
func Shadow(ctx context.Context, photo *cutout.Photo, opacity float64) error {
	block := max(1, int(math.Round(float64(max(photo.Width, photo.Height))/shadowSide)))
	alpha := &cutout.Mask{Width: photo.Width, Height: photo.Height, Pix: make([]uint8, photo.Width*photo.Height)}
	for i := range alpha.Pix {
		alpha.Pix[i] = photo.Pix[4*i+3]
	}
	width, height := ceil(photo.Width, block), ceil(photo.Height, block)
	plane := shadowPlane(shrinkMask(alpha, block), width, height)
	if plane == nil {
		return ctx.Err()
	}
	photo.Opaque = false
	columns, rows := places(photo.Width, block, width), places(photo.Height, block, height)
	return cutout.Rows(ctx, photo.Height, func(from, to int) {
		for y := from; y < to; y++ {
			at := rows[y]
			a, b := plane[at.first*width:][:width], plane[at.second*width:][:width]
			for x, column := range columns {
				top := a[column.first] + column.t*(a[column.second]-a[column.first])
				bottom := b[column.first] + column.t*(b[column.second]-b[column.first])
				if s := float32(opacity) * (top + at.t*(bottom-top)); s > 0 {
					shade(photo, y*photo.Width+x, s)
				}
			}
		}
	})
}

// shade puts black of alpha s under pixel i.
func shade(photo *cutout.Photo, i int, s float32) {
	under(photo.Pix[4*i:4*i+4:4*i+4], s, 255)
	if photo.Deep != nil {
		under(photo.Deep[4*i:4*i+4:4*i+4], s, 65535)
	}
}

func under[T uint8 | uint16](p []T, s, full float32) {
	a := float32(p[3]) / full
	sum := a + s*(1-a)
	if sum <= 0 {
		return
	}
	for c := range 3 {
		p[c] = T(float32(p[c])*a/sum + 0.5)
	}
	p[3] = T(sum*full + 0.5)
}

// shadowPlane makes the shadow on the grid; nil where there is none.
func shadowPlane(alpha []float32, width, height int) []float32 {
	left, right, top, bottom := width, 0, height, 0
	for i, a := range alpha {
		if a >= 0.05 {
			left, right = min(left, i%width), max(right, i%width+1)
			top, bottom = min(top, i/width), max(bottom, i/width+1)
		}
	}
	if bottom == 0 || bottom == height {
		return nil
	}
	long := float64(max(right-left, bottom-top))
	plane := make([]float32, len(alpha))
	half := max(1, int(math.Round(shadowHeight*long)))
	for x := left; x < right; x++ {
		var f float32
		for y := bottom - int(math.Ceil(foot*float64(bottom-top))); y < bottom; y++ {
			f = max(f, alpha[y*width+x])
		}
		for y := max(0, bottom-half); y < min(height, bottom+half); y++ {
			plane[y*width+x] = f
		}
	}
	blur(plane, width, height, int(math.Round(shadowAcross*long)), int(math.Round(shadowDown*long)))
	var most float32
	for _, v := range plane {
		most = max(most, v)
	}
	for i := range plane {
		plane[i] /= most
	}
	return plane
}
