package compose

import (
	"context"
	"image"
	"math"
	"slices"

	"bgremover.pro/core/cutout"
)

const (
	// shadowSide is about the long side of the grid that a shadow is made on.
	shadowSide = 512
	// What lies within foot of the subject's height above the lowest point around
	// it stands on the ground there, if that is within tread of the lowest of all.
	foot, tread = 0.03, 0.1
	// around is how far to look for that point, as a share of the longer side.
	around = 0.1
	// The shadow's half height and the radii of its blur, as shares of the
	// subject's longer side.
	shadowHeight, shadowAcross, shadowDown = 0.008, 0.03, 0.012
)

// Shadow draws a soft contact shadow under the subject, in place: black, of the
// given opacity, 0 to 1, where it is darkest. A subject that is cut off
// by the photo's lower border has no visible ground, and gets no shadow.
//
// Alpha is averaged over blocks of max(1, round(long side/512)) pixels a side.
// Of that grid's cells of at least one half, let h and l be the height and the
// longer side, c(x) the lowest row in column x, b the greatest c, and d(x) the
// greatest c within round(0.1*l) columns of x. A column stands on the ground
// where d(x) - c(x) <= 0.03*h and b - d(x) <= 0.1*h. A plane that holds 1 in the
// rows from d(x)+1-t to d(x)+t of such columns, t = max(1, round(0.008*l)), and
// else 0, is blurred by three passes of a box of 2*round(0.03*l)+1 by
// 2*round(0.012*l)+1 cells, across then down, and divided by its greatest value.
// Sampled bilinearly and times the opacity, it is the shadow's alpha s; a pixel
// of alpha a and colour c becomes one of alpha a + s*(1-a) and colour
// c*a / (a + s*(1-a)).
func Shadow(ctx context.Context, photo *cutout.Photo, opacity float64) error {
	block := max(1, int(math.Round(float64(max(photo.Width, photo.Height))/shadowSide)))
	alpha, err := shrinkLevels(ctx, photo.Pix, 4, photo.Width, photo.Height, block)
	if err != nil {
		return err
	}
	width, height := ceil(photo.Width, block), ceil(photo.Height, block)
	plane := shadowPlane(alpha, width, height)
	if plane == nil {
		return nil
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
	lowest, box := outline(alpha, width)
	if box.Empty() || box.Max.Y == height {
		return nil
	}
	long, tall := float64(max(box.Dx(), box.Dy())), float64(box.Dy())
	plane := make([]float32, len(alpha))
	half, reach := max(1, int(math.Round(shadowHeight*long))), int(math.Round(around*long))
	for x := box.Min.X; x < box.Max.X; x++ {
		ground := slices.Max(lowest[max(0, x-reach):min(width, x+reach+1)])
		if float64(ground-lowest[x]) > foot*tall || float64(box.Max.Y-1-ground) > tread*tall {
			continue
		}
		for y := max(0, ground+1-half); y < min(height, ground+1+half); y++ {
			plane[y*width+x] = 1
		}
	}
	blur(plane, width, height, int(math.Round(shadowAcross*long)), int(math.Round(shadowDown*long)))
	most := slices.Max(plane)
	for i := range plane {
		plane[i] /= most
	}
	return plane
}

// outline returns the lowest row of at least one half in each column, far above
// the grid where there is none, and the bounds of all such cells.
func outline(alpha []float32, width int) ([]int, image.Rectangle) {
	lowest := make([]int, width)
	for x := range lowest {
		lowest[x] = math.MinInt32
	}
	var box image.Rectangle
	for i, a := range alpha {
		if a >= 0.5 {
			x, y := i%width, i/width
			lowest[x] = y
			box = box.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return lowest, box
}
