package compose

import (
	"image/color"

	"bgremover.pro/core/cutout"
)

// Flatten lays the photo over an opaque colour, in place; the background's own
// alpha is not looked at.
func Flatten(photo *cutout.Photo, background color.NRGBA) {
	bg := [3]uint32{uint32(background.R), uint32(background.G), uint32(background.B)}
	for i := 0; i < len(photo.Pix); i += 4 {
		p := photo.Pix[i : i+4 : i+4]
		a := uint32(p[3])
		for c := range 3 {
			p[c] = uint8((uint32(p[c])*a + bg[c]*(255-a) + 127) / 255)
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
