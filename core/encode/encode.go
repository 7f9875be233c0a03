// Package encode writes photos and masks as files.
package encode

import (
	"context"
	"encoding/binary"

	"bgremover.pro/core/cutout"
)

// Photo writes a photo. Colours of fully transparent pixels are written as black. A depth
// of 16 applies only to a PNG of a photo with Deep samples. A JPEG needs an opaque photo.
// In a ZIP, the colours of transparent pixels are kept; see compose.Spread.
//
// The codes of its errors: Invalid for what the format cannot hold, Timeout and Canceled.
func Photo(ctx context.Context, photo *cutout.Photo, format cutout.Format, depth int) ([]byte, error) {
	switch format {
	case cutout.JPEG:
		if !photo.Opaque {
			return nil, cutout.Errorf(cutout.Invalid, "JPEG has no transparency. Please choose a background, or PNG or WebP.")
		}
		return photoJPEG(ctx, photo)
	case cutout.WebP:
		return photoWebP(ctx, photo)
	case cutout.ZIP:
		return photoZIP(ctx, photo)
	}
	p := picture{width: photo.Width, height: photo.Height, depth: 8, channels: 4}
	if photo.Opaque {
		p.channels = 3
	}
	if depth == 16 && photo.Deep != nil {
		p.depth = 16
		p.row = func(y int, dst []byte) { deepRow(photo.Deep[4*p.width*y:][:4*p.width], dst, p.channels) }
	} else {
		p.row = func(y int, dst []byte) { colourRow(photo.Pix[4*p.width*y:][:4*p.width], dst, p.channels) }
	}
	return writePNG(ctx, p)
}

// Mask writes a mask in grey, with the same limits as Photo.
func Mask(ctx context.Context, m *cutout.Mask, format cutout.Format, depth int) ([]byte, error) {
	switch format {
	case cutout.JPEG:
		return maskJPEG(ctx, m)
	case cutout.WebP:
		return maskWebP(ctx, m)
	}
	p := picture{width: m.Width, height: m.Height, depth: 8, channels: 1}
	p.row = func(y int, dst []byte) { copy(dst, m.Pix[p.width*y:]) }
	if depth == 16 && m.Deep != nil {
		p.depth = 16
		p.row = func(y int, dst []byte) {
			for i, v := range m.Deep[p.width*y:][:p.width] {
				binary.BigEndian.PutUint16(dst[2*i:], v)
			}
		}
	}
	return writePNG(ctx, p)
}

// colourRow copies R, G, B, A, leaving out the alpha for three channels and
// the colours where alpha is 0.
func colourRow(src []uint8, dst []byte, channels int) {
	if channels == 3 {
		for i, o := 0, 0; i < len(src); i, o = i+4, o+3 {
			d, s := dst[o:o+3:o+3], src[i:i+4:i+4]
			d[0], d[1], d[2] = s[0], s[1], s[2]
		}
		return
	}
	for i := 0; i+4 <= len(src) && i+4 <= len(dst); i += 4 {
		v := binary.LittleEndian.Uint32(src[i:])
		if v>>24 == 0 {
			v = 0
		}
		binary.LittleEndian.PutUint32(dst[i:], v)
	}
}

// deepRow is colourRow for 16 bits, in PNG's byte order.
func deepRow(src []uint16, dst []byte, channels int) {
	for ; len(src) >= 4; src, dst = src[4:], dst[2*channels:] {
		if channels == 4 && src[3] == 0 {
			clear(dst[:8])
			continue
		}
		for c := range channels {
			binary.BigEndian.PutUint16(dst[2*c:], src[c])
		}
	}
}
