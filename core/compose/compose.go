// Package compose puts alpha and photo together.
package compose

import (
	"context"
	"image/color"

	"bgremover.pro/core/cutout"
)

// Cutout gives the photo the alpha, times its own, in place. Wholly transparent
// pixels lose their colour, so that none of the background stays in the file.
func Cutout(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask, trueColours bool) error {
	if alpha.Width != photo.Width || alpha.Height != photo.Height {
		return cutout.Errorf(cutout.Internal, "the mask is %dx%d, the photo %dx%d", alpha.Width, alpha.Height, photo.Width, photo.Height)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	apply(photo, alpha)
	return nil
}

func apply(photo *cutout.Photo, alpha *cutout.Mask) {
	opaque := true
	for i, a := range alpha.Pix {
		p := photo.Pix[4*i : 4*i+4 : 4*i+4]
		p[3] = uint8((int(p[3])*int(a) + 127) / 255)
		if p[3] == 0 {
			p[0], p[1], p[2] = 0, 0, 0
		}
		opaque = opaque && p[3] == 255
	}
	photo.Opaque = opaque
	if photo.Deep == nil {
		return
	}
	for i := range alpha.Pix {
		a := uint64(alpha.Pix[i]) * 257
		if alpha.Deep != nil {
			a = uint64(alpha.Deep[i])
		}
		p := photo.Deep[4*i : 4*i+4 : 4*i+4]
		p[3] = uint16((uint64(p[3])*a + 32767) / 65535)
		if p[3] == 0 {
			p[0], p[1], p[2] = 0, 0, 0
		}
	}
}

// Flatten puts the photo over an opaque colour, in place.
func Flatten(photo *cutout.Photo, background color.NRGBA) {
	bg := [3]int{int(background.R), int(background.G), int(background.B)}
	for i := 0; i < len(photo.Pix); i += 4 {
		p := photo.Pix[i : i+4 : i+4]
		a := int(p[3])
		for c := range 3 {
			p[c] = uint8((int(p[c])*a + bg[c]*(255-a) + 127) / 255)
		}
		p[3] = 255
	}
	for i := 0; i < len(photo.Deep); i += 4 {
		p := photo.Deep[i : i+4 : i+4]
		a := uint64(p[3])
		for c := range 3 {
			p[c] = uint16((uint64(p[c])*a + uint64(bg[c])*257*(65535-a) + 32767) / 65535)
		}
		p[3] = 65535
	}
	photo.Opaque = true
}
