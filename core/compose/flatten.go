package compose

import (
	"context"
	"image/color"
	"math"

	"bgremover.pro/core/cutout"
)

// Flatten lays the photo over an opaque colour, in place; the background's own
// alpha is not looked at.
func Flatten(ctx context.Context, photo *cutout.Photo, background color.NRGBA) error {
	row := make([]uint16, 0, 3*photo.Width)
	for range photo.Width {
		row = append(row, uint16(background.R)*257, uint16(background.G)*257, uint16(background.B)*257)
	}
	return lay(ctx, photo, func() func(int, []uint16) {
		return func(_ int, line []uint16) { copy(line, row) }
	})
}

// Tint lays the photo over a colour that may be translucent, in place: a pixel of
// alpha a and colour c over one of alpha b and colour d becomes one of alpha
// s = a + b*(1-a) and colour (c*a + d*b*(1-a)) / s.
func Tint(ctx context.Context, photo *cutout.Photo, background color.NRGBA) error {
	if background.A == 255 {
		return Flatten(ctx, photo, background)
	}
	return cutout.Rows(ctx, photo.Height, func(from, to int) {
		tint(photo.Pix[4*from*photo.Width:4*to*photo.Width], background, 255)
		if photo.Deep != nil {
			tint(photo.Deep[4*from*photo.Width:4*to*photo.Width], background, 65535)
		}
	})
}

func tint[T uint8 | uint16](pix []T, background color.NRGBA, full float32) {
	under := [3]float32{float32(background.R), float32(background.G), float32(background.B)}
	for i := 0; i < len(pix); i += 4 {
		p := pix[i : i+4 : i+4]
		a := float32(p[3]) / full
		b := float32(background.A) / 255 * (1 - a)
		s := a + b
		if s <= 0 || b <= 0 {
			continue
		}
		for c := range 3 {
			p[c] = T((float32(p[c])*a+under[c]*full/255*b)/s + 0.5)
		}
		p[3] = T(s*full + 0.5)
	}
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
	row := func(y int, line []uint16) {
		for x := range photo.Width {
			t := 0.5 + ((float64(x)+0.5-w/2)*sin-(float64(y)+0.5-h/2)*cos)/length
			for c := range 3 {
				line[3*x+c] = uint16(257*(a[c]+t*(b[c]-a[c])) + 0.5)
			}
		}
	}
	return lay(ctx, photo, func() func(int, []uint16) { return row })
}

// lay puts an opaque background behind the photo, in place. For each run of rows
// fill makes a function that writes the R, G, B of one of them, 0 to 65535. Each sample becomes photo*alpha + background*(1-alpha), rounded to nearest.
func lay(ctx context.Context, photo *cutout.Photo, fill func() func(y int, line []uint16)) error {
	photo.Opaque = true
	return cutout.Rows(ctx, photo.Height, func(from, to int) {
		line, row := make([]uint16, 3*photo.Width), fill()
		for y := from; y < to; y++ {
			row(y, line)
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

// Grey makes the photo show a mask of its size, in place.
func Grey(ctx context.Context, photo *cutout.Photo, m *cutout.Mask) error {
	photo.Opaque = true
	return cutout.Rows(ctx, photo.Height, func(from, to int) {
		for i := from * photo.Width; i < to*photo.Width; i++ {
			level := m.Pix[i]
			p := photo.Pix[4*i : 4*i+4 : 4*i+4]
			p[0], p[1], p[2], p[3] = level, level, level, 255
		}
	})
}
