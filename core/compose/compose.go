// Package compose puts photo and alpha together: it makes the cut-out, with the
// subject's own colours at its edge, and lays it over a background.
package compose

import (
	"context"

	"bgremover.pro/core/cutout"
)

// Cutout gives the photo the alpha, times its own, in place. With trueColours,
// half-transparent pixels get the subject's own colour, free of the background
// that shone through. Wholly transparent pixels lose their colour, so that
// nothing of the background stays in the file. It fails with cutout.Internal
// where the sizes differ, and with the context's error when that ends; the
// photo is then of no use.
func Cutout(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask, trueColours bool) error {
	if alpha.Width != photo.Width || alpha.Height != photo.Height {
		return cutout.Errorf(cutout.Internal, "an alpha of %dx%d does not fit a photo of %dx%d",
			alpha.Width, alpha.Height, photo.Width, photo.Height)
	}
	if trueColours {
		if err := clean(ctx, photo, alpha); err != nil {
			return err
		}
	}
	photo.Opaque = false
	return cutout.Rows(ctx, photo.Height, func(from, to int) {
		start, end := from*photo.Width, to*photo.Width
		fade(photo.Pix[4*start:4*end], alpha.Pix[start:end])
		switch {
		case photo.Deep == nil:
		case alpha.Deep != nil:
			fadeDeep(photo.Deep[4*start:4*end], alpha.Deep[start:end], 1)
		default:
			fadeDeep(photo.Deep[4*start:4*end], alpha.Pix[start:end], 257)
		}
	})
}

// fade multiplies the pixels' alpha by levels.
func fade(pix, levels []uint8) {
	for i, level := range levels {
		if level == 255 {
			continue
		}
		p := pix[4*i : 4*i+4 : 4*i+4]
		p[3] = uint8((uint32(p[3])*uint32(level) + 127) / 255)
		if p[3] == 0 {
			p[0], p[1], p[2] = 0, 0, 0
		}
	}
}

// fadeDeep multiplies the pixels' alpha by levels times scale.
func fadeDeep[T uint8 | uint16](pix []uint16, levels []T, scale uint32) {
	for i, level := range levels {
		p := pix[4*i : 4*i+4 : 4*i+4]
		p[3] = uint16((uint64(p[3])*uint64(uint32(level)*scale) + 32767) / 65535)
		if p[3] == 0 {
			p[0], p[1], p[2] = 0, 0, 0
		}
	}
}
