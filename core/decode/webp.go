package decode

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"io"

	"golang.org/x/image/webp"

	"bgremover.pro/core/decode/internal/colour"
)

func isWebP(data []byte) bool {
	return len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP"
}

// webpInfo is what a WebP container holds of a still picture, or of the first
// frame of an animation.
type webpInfo struct {
	canvas  image.Rectangle // VP8X's, else the picture's
	frame   image.Rectangle // the picture's place on it
	alph    []byte          // ALPH chunk's body
	bits    []byte          // VP8 or VP8L chunk's body
	lossy   bool
	profile []byte
	exif    []byte
}

func probeWebP(data []byte) (header, error) {
	info, err := readWebP(data)
	if err != nil {
		return header{}, err
	}
	h := header{orientation: 1, profile: info.profile}
	if info.exif != nil {
		h.orientation = exifOrientation(bytes.TrimPrefix(info.exif, []byte("Exif\x00\x00")))
	}
	h.Width, h.Height, h.Depth = info.canvas.Dx(), info.canvas.Dy(), 8
	pixels, coded := int64(h.Width)*int64(h.Height), int64(info.frame.Dx())*int64(info.frame.Dy())
	switch {
	case !info.lossy:
		h.Memory = 4*pixels + 5*coded
	case info.alph != nil:
		h.Memory = 4*pixels + 7*coded
	default:
		h.Memory = 4*pixels + 2*coded
	}
	return h, nil
}

func readWebP(data []byte) (webpInfo, error) {
	var info webpInfo
	err := info.chunks(data[12:], false)
	switch {
	case info.bits == nil && err == nil:
		err = io.ErrUnexpectedEOF
	case info.bits != nil:
		err = nil // damage behind the pixels does no harm
	}
	if err != nil {
		return info, err
	}
	width, height, err := webpSize(info.bits, info.lossy)
	if err != nil {
		return info, err
	}
	info.frame.Max = info.frame.Min.Add(image.Pt(width, height))
	if info.canvas.Empty() {
		info.canvas = info.frame
	}
	if !info.frame.In(info.canvas) {
		return info, errors.New("picture outside its canvas")
	}
	return info, nil
}

// chunks walks RIFF chunks; inFrame says that they are those of a frame.
func (info *webpInfo) chunks(data []byte, inFrame bool) error {
	for len(data) >= 8 {
		name, size := string(data[:4]), int64(binary.LittleEndian.Uint32(data[4:]))
		if size > int64(len(data)-8) {
			return io.ErrUnexpectedEOF
		}
		if err := info.chunk(name, data[8:8+size], inFrame); err != nil {
			return err
		}
		data = data[min(int64(len(data)), 8+size+size&1):]
	}
	return nil
}

func (info *webpInfo) chunk(name string, body []byte, inFrame bool) error {
	switch {
	case name == "VP8X" && len(body) >= 10:
		info.canvas = image.Rect(0, 0, 1+uint24(body[4:]), 1+uint24(body[7:]))
	case name == "ANMF" && !inFrame && info.bits == nil:
		if len(body) < 16 {
			return io.ErrUnexpectedEOF
		}
		info.frame.Min = image.Pt(2*uint24(body), 2*uint24(body[3:]))
		return info.chunks(body[16:], true)
	case name == "ALPH" && info.bits == nil:
		info.alph = body
	case (name == "VP8 " || name == "VP8L") && info.bits == nil:
		info.bits, info.lossy = body, name == "VP8 "
	case name == "ICCP":
		info.profile = body
	case name == "EXIF":
		info.exif = body
	}
	return nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// webpSize reads the size from the first bytes of the coded picture.
func webpSize(bits []byte, lossy bool) (width, height int, err error) {
	switch {
	case lossy && len(bits) >= 10 && string(bits[3:6]) == "\x9d\x01\x2a":
		return int(binary.LittleEndian.Uint16(bits[6:])) & 0x3fff, int(binary.LittleEndian.Uint16(bits[8:])) & 0x3fff, nil
	case !lossy && len(bits) >= 5 && bits[0] == 0x2f:
		v := int(binary.LittleEndian.Uint32(bits[1:]))
		return 1 + v&0x3fff, 1 + v>>14&0x3fff, nil
	}
	return 0, 0, errors.New("damaged frame header")
}

// still writes the picture as a file of its own, for a decoder that knows no
// animation.
func (info webpInfo) still() []byte {
	var body []byte
	chunk := func(name string, data []byte) {
		body = append(body, name...)
		body = binary.LittleEndian.AppendUint32(body, uint32(len(data)))
		body = append(body, data...)
		if len(data)%2 == 1 {
			body = append(body, 0)
		}
	}
	body = append(body, "WEBP"...)
	if info.lossy && info.alph != nil {
		w, h := info.frame.Dx()-1, info.frame.Dy()-1
		chunk("VP8X", []byte{0x10, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)})
		chunk("ALPH", info.alph)
	}
	if info.lossy {
		chunk("VP8 ", info.bits)
	} else {
		chunk("VP8L", info.bits)
	}
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func decodeWebP(ctx context.Context, data []byte, _ header) (raster, error) {
	info, err := readWebP(data)
	if err != nil {
		return raster{}, err
	}
	img, err := webp.Decode(newReader(ctx, info.still()).plain())
	if err != nil {
		return raster{}, err
	}
	var r raster
	size := img.Bounds().Size()
	switch img := img.(type) {
	case *image.YCbCr:
		r = raster{opaque: true, rows: planar{YCbCr: img, coding: colour.VP8}.rows()}
	case *image.NYCbCrA:
		r = raster{rows: planar{YCbCr: &img.YCbCr, coding: colour.VP8, alpha: img.A, alphaStride: img.AStride}.rows()}
	default:
		if r, err = newRaster(img); err != nil {
			return raster{}, err
		}
	}
	r.width, r.height = size.X, size.Y
	if info.frame == info.canvas {
		return r, nil
	}
	return r.on(info.canvas, info.frame), nil
}

// on places a picture on a larger, transparent canvas.
func (r raster) on(canvas, frame image.Rectangle) raster {
	inner := r.rows
	return raster{width: canvas.Dx(), height: canvas.Dy(), rows: func() func(int, []uint8) {
		row := inner()
		return func(y int, dst []uint8) {
			clear(dst)
			if y >= frame.Min.Y && y < frame.Max.Y {
				row(y-frame.Min.Y, dst[4*frame.Min.X:4*frame.Max.X])
			}
		}
	}}
}
