package decode

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"slices"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode/internal/colour"
)

// The passes of a progressive JPEG are bounded, and so is what they walk over
// together: encoders write about ten, and each costs a walk over the whole picture
// whatever its size in the file.
const (
	maxScans       = 100
	maxScansPixels = 1_500_000_000
)

// maxPieces is how many segments may hold a colour profile: they are counted in
// a byte.
const maxPieces = 255

// jpegInfo is what the segments before the pixels say.
type jpegInfo struct {
	sof         []byte
	progressive bool
	adobe       bool
	orientation int
	profile     []byte
	scans       int
}

func probeJPEG(data []byte) (header, error) {
	info, err := readJPEG(data)
	if err != nil {
		return header{}, err
	}
	sof := info.sof
	h := header{orientation: info.orientation, profile: info.profile}
	h.Depth = int(sof[0])
	h.Height, h.Width = int(binary.BigEndian.Uint16(sof[1:])), int(binary.BigEndian.Uint16(sof[3:]))
	if h.Depth != 8 || h.Height == 0 {
		return header{}, fmt.Errorf("%d bits, height %d: %w", h.Depth, h.Height, errUnsupported)
	}
	pixels := area(h.Width, h.Height)
	most := int(sof[5]) // of a baseline picture: one scan for each component
	if info.progressive {
		most = min(maxScans, int(maxScansPixels/pixels))
	}
	if info.scans > most {
		return h, fmt.Errorf("%d scans", info.scans)
	}
	h.bareInk = sof[5] == 4 && !info.adobe
	samples := jpegSamples(sof, h.Width, h.Height)
	planes := samples
	out := 4 * pixels
	switch {
	case sof[5] == 4:
		planes += 4 * pixels // the library's CMYK picture
	case sof[5] == 3 && h.orientation != 1 && (info.adobe || sof[6] == 'R'):
		planes += 4 * pixels // its RGB picture, which otherwise becomes the photo
	}
	h.Memory = planes + out
	if info.progressive {
		h.Memory += 4 * samples // the coefficients
	}
	return h, nil
}

// jpegSamples returns the number of samples in all components, which the library
// keeps in whole blocks of the largest one's factors.
func jpegSamples(sof []byte, width, height int) int64 {
	var factors, across, down int64
	for c := sof[6:]; len(c) >= 3; c = c[3:] {
		h, v := int64(c[1]>>4), int64(c[1]&15)
		factors += h * v
		across, down = max(across, h), max(down, v)
	}
	if across == 0 || down == 0 {
		return 0
	}
	columns, rows := (int64(width)+8*across-1)/(8*across), (int64(height)+8*down-1)/(8*down)
	return 64 * factors * columns * rows
}

// readJPEG walks the segments up to the first scan, and counts the scans.
func readJPEG(data []byte) (jpegInfo, error) {
	info := jpegInfo{orientation: 1}
	var profile [][]byte
	for at := 2; at+4 <= len(data); {
		skip := bytes.IndexByte(data[at:], 0xff)
		if skip < 0 || at+skip+4 > len(data) {
			break
		}
		at += skip
		marker := data[at+1]
		switch {
		case marker == 0xff: // fill byte
			at++
			continue
		case marker == 0 || marker == 0xd8 || marker >= 0xd0 && marker <= 0xd7: // inside a scan, or without a body
			at += 2
			continue
		}
		length := int(binary.BigEndian.Uint16(data[at+2:]))
		if marker == 0xd9 || length < 2 || at+2+length > len(data) {
			break
		}
		if marker == 0xda {
			info.scans++
		} else if info.scans == 0 {
			if err := info.segment(marker, data[at+4:at+2+length], &profile); err != nil {
				return info, err
			}
		}
		at += 2 + length
	}
	if info.sof == nil || info.scans == 0 {
		return info, io.ErrUnexpectedEOF
	}
	slices.SortStableFunc(profile, func(a, b []byte) int { return int(a[0]) - int(b[0]) })
	for _, piece := range profile {
		info.profile = append(info.profile, piece[2:]...)
	}
	return info, nil
}

func (info *jpegInfo) segment(marker byte, body []byte, profile *[][]byte) error {
	switch marker {
	case 0xc0, 0xc1, 0xc2:
		if len(body) < 6 || len(body) != 6+3*int(body[5]) || body[5] == 0 {
			return errors.New("damaged frame header")
		}
		info.sof, info.progressive = body, marker == 0xc2
	case 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf:
		return fmt.Errorf("lossless or arithmetic coding: %w", errUnsupported)
	case 0xe1:
		if exif, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00")); ok {
			info.orientation = exifOrientation(exif)
		}
	case 0xe2:
		// A profile longer than a segment comes in pieces: number, count, data.
		if icc, ok := bytes.CutPrefix(body, []byte("ICC_PROFILE\x00")); ok && len(icc) > 2 && len(*profile) < maxPieces {
			*profile = append(*profile, icc)
		}
	case 0xee:
		info.adobe = info.adobe || bytes.HasPrefix(body, []byte("Adobe")) && len(body) >= 12
	}
	return nil
}

// adobeMarker declares plain CMYK; image/jpeg reads four components only with it.
var adobeMarker = []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00")

func decodeJPEG(ctx context.Context, data []byte, h header) (raster, error) {
	in := newReader(ctx, data).plain()
	if h.bareInk {
		in = io.MultiReader(bytes.NewReader(data[:2]), bytes.NewReader(adobeMarker), newReader(ctx, data[2:]).plain())
	}
	img, err := jpeg.Decode(in)
	if err != nil {
		return raster{}, err
	}
	r, err := newRaster(img)
	cmyk, ok := img.(*image.CMYK)
	if err != nil || !ok {
		return r, err
	}
	if h.bareInk {
		// Adobe stores ink inverted and the library undoes that; others don't.
		err := cutout.Rows(ctx, h.Height*h.Width/4096+1, func(from, to int) {
			part := cmyk.Pix[min(len(cmyk.Pix), from<<14):min(len(cmyk.Pix), to<<14)]
			for i, v := range part {
				part[i] = ^v
			}
		})
		if err != nil {
			return raster{}, err
		}
	}
	if inks := colour.FromInks(h.profile); inks != nil {
		r.rows = plain(func(y int, dst []uint8) { inks.Row(cmyk.Pix[cmyk.PixOffset(0, y):], dst) })
	}
	return r, nil
}
