package compose

import (
	"context"
	"image/color"
	"math"

	"bgremover.pro/core/cutout"
)

// Flatten lays the photo over an opaque colour, in place; the background's own
// alpha is not looked at.
func Flatten(photo *cutout.Photo, background color.NRGBA) {
	row := make([]uint16, 0, 3*photo.Width)
	for range photo.Width {
		row = append(row, uint16(background.R)*257, uint16(background.G)*257, uint16(background.B)*257)
	}
	_ = lay(context.Background(), photo, func(_ int, line []uint16) { copy(line, row) })
}

// Gradient lays the photo over a linear gradient, in place. The direction is
// that of CSS: 0 degrees runs upwards, 90 to the right. With w and h the photo's
// size, s and c the direction's sine and cosine, pixel (x, y) has the colour
// from + t*(to-from), where
//
//	t = 1/2 + ((x + 1/2 - w/2)*s - (y + 1/2 - h/2)*c) / (w*|s| + h*|c|)
//
// computed and mixed in sRGB.
func Gradient(ctx context.Context, photo *cutout.Photo, from, to color.NRGBA, degrees float64) error {
	w, h := float64(photo.Width), float64(photo.Height)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	length := w*math.Abs(sin) + h*math.Abs(cos)
	a := [3]float64{float64(from.R), float64(from.G), float64(from.B)}
	b := [3]float64{float64(to.R), float64(to.G), float64(to.B)}
	return lay(ctx, photo, func(y int, line []uint16) {
		for x := range photo.Width {
			t := 0.5 + ((float64(x)+0.5-w/2)*sin-(float64(y)+0.5-h/2)*cos)/length
			for c := range 3 {
				line[3*x+c] = uint16(257*(a[c]+t*(b[c]-a[c])) + 0.5)
			}
		}
	})
}

// lay puts an opaque background behind the photo, in place: fill writes the R,
// G, B of one row, 0 to 65535, and may be called for several rows at once.
// Each sample becomes photo*alpha + background*(1-alpha), rounded to nearest.
func lay(ctx context.Context, photo *cutout.Photo, fill func(y int, line []uint16)) error {
	return layStrips(ctx, photo, func() func(int, []uint16) { return fill })
}

// layStrips is lay with a fill for each strip of rows, which may keep what the
// next row needs too.
func layStrips(ctx context.Context, photo *cutout.Photo, fills func() func(y int, line []uint16)) error {
	photo.Opaque = true
	return cutout.Rows(ctx, photo.Height, func(from, to int) {
		fill, line := fills(), make([]uint16, 3*photo.Width)
		for y := from; y < to; y++ {
			fill(y, line)
			start, end := 4*y*photo.Width, 4*(y+1)*photo.Width
			blend(photo.Pix[start:end], line)
			if photo.Deep != nil {
				blendDeep(photo.Deep[start:end], line)
			}
		}
	})
}

func blend(pix []uint8, line []uint16) {
	for x := range len(pix) / 4 {
		p, b := pix[4*x:4*x+4:4*x+4], line[3*x:3*x+3:3*x+3]
		a := uint32(p[3])
		if a == 255 {
			continue
		}
		for c := range 3 {
			p[c] = uint8((uint32(p[c])*a*257 + uint32(b[c])*(255-a) + 32767) / 65535)
		}
		p[3] = 255
	}
}

func blendDeep(pix []uint16, line []uint16) {
	for x := range len(pix) / 4 {
		p, b := pix[4*x:4*x+4:4*x+4], line[3*x:3*x+3:3*x+3]
		a := uint64(p[3])
		for c := range 3 {
			p[c] = uint16((uint64(p[c])*a + uint64(b[c])*(65535-a) + 32767) / 65535)
		}
		p[3] = 65535
	}
}
