// Package compose combines photo and alpha: it makes the cut-out, with the
// subject's own colours at its edge (decontaminated), and lays it over a background.
package compose

import (
	"context"
	"encoding/binary"

	"bgremover.pro/core/cutout"
)

// Cutout gives the photo the alpha, times its own, in place. With trueColours,
// half-transparent pixels get the subject's own colour, without the background that
// shows through. Fully transparent pixels lose their colour, so that nothing of the
// background remains in the file. It fails with cutout.Internal if the sizes
// differ, and with the context's error when that ends; the photo is then unusable.
func Cutout(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask, trueColours bool) error {
	if alpha.Width != photo.Width || alpha.Height != photo.Height {
		return cutout.Errorf(cutout.Internal, "an alpha of %dx%d does not fit a photo of %dx%d",
			alpha.Width, alpha.Height, photo.Width, photo.Height)
	}
	var c *cleaner
	if trueColours {
		l, err := estimate(ctx, photo, alpha)
		if err != nil {
			return err
		}
		c = newCleaner(photo, alpha, l)
	}
	opaque := photo.Opaque
	photo.Opaque = false
	return cutout.Rows(ctx, photo.Height, func(from, to int) {
		for y := from; c != nil && y < to; y++ {
			c.clean(y)
		}
		start, end := from*photo.Width, to*photo.Width
		fade(photo.Pix[4*start:4*end], alpha.Pix[start:end], opaque)
		switch {
		case photo.Deep == nil:
		case alpha.Deep != nil:
			fadeDeep(photo.Deep[4*start:4*end], alpha.Deep[start:end], 1)
		default:
			fadeDeep(photo.Deep[4*start:4*end], alpha.Pix[start:end], 257)
		}
	})
}

// fade multiplies the pixels' alpha, 255 throughout where opaque, by levels.
func fade(pix, levels []uint8, opaque bool) {
	for i := 0; i < len(levels); {
		switch eight(levels, i) {
		case allFull:
			if opaque {
				i += 8
				continue
			}
		case 0:
			clear(pix[4*i : 4*i+32])
			i += 8
			continue
		}
		p := pix[4*i : 4*i+4 : 4*i+4]
		p[3] = uint8((uint32(p[3])*uint32(levels[i]) + 127) / 255)
		if p[3] == 0 {
			p[0], p[1], p[2] = 0, 0, 0
		}
		i++
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

// mixed returns the index, from i on, of the first level that is neither 0 nor
// 255, or the length.
func mixed(levels []uint8, i int) int {
	for i < len(levels) {
		if run := eight(levels, i); run == 0 || run == allFull {
			i += 8
			continue
		}
		if levels[i] != 0 && levels[i] != 255 {
			return i
		}
		i++
	}
	return i
}

// allFull is eight levels of 255.
const allFull = 1<<64 - 1

// eight returns the eight levels from i on as one number, or 1, which is
// neither none nor full, near the end.
func eight(levels []uint8, i int) uint64 {
	if i+8 > len(levels) {
		return 1
	}
	return binary.LittleEndian.Uint64(levels[i:])
}
