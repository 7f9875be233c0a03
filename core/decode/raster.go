package decode

import (
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode/internal/colour"
)

// raster is a decoded picture in whatever layout its codec left it, read row
// by row while the photo is made, so that no copy lies between them.
type raster struct {
	width, height int
	opaque        bool
	// rows makes a function that writes row y as R, G, B, A with straight
	// alpha; each goroutine makes its own, with scratch space of its own.
	rows func() func(y int, dst []uint8)
	// deepRows is the same in 16 bits, nil for a picture of eight bits.
	deepRows func() func(y int, dst []uint16)
	// pix, where not nil, already is what rows would write.
	pix []uint8
	// close, where not nil, frees what the rows are read from.
	close func()
}

func (r raster) deep() bool { return r.deepRows != nil }

func (r raster) blockRows() int { return min(r.height, blockRows(r.width)) }

// newRaster reads the kinds of picture that the Go decoders return.
func newRaster(img image.Image) (raster, error) {
	b := img.Bounds()
	r := raster{width: b.Dx(), height: b.Dy()}
	switch img := img.(type) {
	case *image.YCbCr:
		r.opaque = true
		r.rows = planar{YCbCr: img, coding: colour.JPEG}.rows()
	case *image.Gray:
		r.opaque = true
		r.rows = plain(func(y int, dst []uint8) { greyRow(img.Pix[img.PixOffset(b.Min.X, b.Min.Y+y):], dst) })
	case *image.NRGBA:
		r.packed(img.Pix[img.PixOffset(b.Min.X, b.Min.Y):], img.Stride)
	case *image.RGBA:
		if !img.Opaque() {
			r.premultiplied(img.Pix[img.PixOffset(b.Min.X, b.Min.Y):], img.Stride)
			break
		}
		r.opaque = true
		r.packed(img.Pix[img.PixOffset(b.Min.X, b.Min.Y):], img.Stride)
	case *image.Paletted:
		r.paletted(img)
	case *image.CMYK:
		r.opaque = true
		r.rows = plain(func(y int, dst []uint8) { cmykRow(img.Pix[img.PixOffset(b.Min.X, b.Min.Y+y):], dst) })
	case *image.Gray16:
		r.opaque = true
		r.wide(func(y int, dst []uint16) {
			src := img.Pix[img.PixOffset(b.Min.X, b.Min.Y+y):]
			for i := 0; i < len(dst); i += 4 {
				v := binary.BigEndian.Uint16(src[i/2:])
				dst[i], dst[i+1], dst[i+2], dst[i+3] = v, v, v, 0xffff
			}
		})
	case *image.NRGBA64:
		r.wide(func(y int, dst []uint16) { wideRow(img.Pix[img.PixOffset(b.Min.X, b.Min.Y+y):], dst, false) })
	case *image.RGBA64:
		r.opaque = img.Opaque()
		r.wide(func(y int, dst []uint16) { wideRow(img.Pix[img.PixOffset(b.Min.X, b.Min.Y+y):], dst, !r.opaque) })
	default:
		return raster{}, fmt.Errorf("pixels of type %T: %w", img, errUnsupported)
	}
	return r, nil
}

// plain wraps a row function that needs no scratch space.
func plain[T any](row func(y int, dst []T)) func() func(int, []T) {
	return func() func(int, []T) { return row }
}

func (r *raster) packed(pix []uint8, stride int) {
	n := 4 * r.width
	if stride == n && len(pix) >= n*r.height {
		r.pix = pix[: n*r.height : n*r.height]
	}
	r.rows = plain(func(y int, dst []uint8) { copy(dst, pix[y*stride:]) })
}

func (r *raster) premultiplied(pix []uint8, stride int) {
	r.rows = plain(func(y int, dst []uint8) {
		src := pix[y*stride:][:len(dst)]
		for i := 0; i < len(dst); i += 4 {
			a := uint32(src[i+3])
			switch a {
			case 0:
				clear(dst[i : i+4])
				continue
			case 255:
				copy(dst[i:i+4], src[i:i+4])
				continue
			}
			for c := range 3 {
				dst[i+c] = uint8(min(255, (uint32(src[i+c])*255+a/2)/a))
			}
			dst[i+3] = uint8(a)
		}
	})
}

func (r *raster) paletted(img *image.Paletted) {
	var table [256][4]uint8
	r.opaque = true
	for i, c := range img.Palette[:min(256, len(img.Palette))] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		table[i] = [4]uint8{n.R, n.G, n.B, n.A}
		r.opaque = r.opaque && n.A == 255
	}
	b := img.Bounds()
	r.rows = plain(func(y int, dst []uint8) {
		src := img.Pix[img.PixOffset(b.Min.X, b.Min.Y+y):]
		for i := 0; i < len(dst); i += 4 {
			copy(dst[i:i+4], table[src[i/4]][:])
		}
	})
}

// wide reads a picture of 16 bits, and its rows of eight bits from those.
func (r *raster) wide(row func(y int, dst []uint16)) {
	r.deepRows = plain(row)
}

// wideRow reads big-endian samples of 16 bits.
func wideRow(src []uint8, dst []uint16, premultiplied bool) {
	for i := range dst {
		dst[i] = binary.BigEndian.Uint16(src[2*i:])
	}
	if premultiplied {
		divideAlpha(dst)
	}
}

func divideAlpha(row []uint16) {
	for i := 0; i < len(row); i += 4 {
		a := uint32(row[i+3])
		if a == 0xffff {
			continue
		}
		for c := range 3 {
			if a == 0 {
				row[i+c] = 0
			} else {
				row[i+c] = uint16(min(0xffff, (uint32(row[i+c])*0xffff+a/2)/a))
			}
		}
	}
}

func greyRow(src, dst []uint8) {
	for i := 0; i < len(dst); i += 4 {
		v := src[i/4]
		binary.LittleEndian.PutUint32(dst[i:], 0xff000000|0x010101*uint32(v))
	}
}

// cmykRow is the plain conversion: ink takes light away, whatever the ink.
func cmykRow(src, dst []uint8) {
	for i := 0; i < len(dst); i += 4 {
		k := 255 - uint32(src[i+3])
		for c := range 3 {
			dst[i+c] = uint8(((255-uint32(src[i+c]))*k + 127) / 255)
		}
		dst[i+3] = 255
	}
}

// photo makes the photo: every row read, converted to sRGB and turned upright.
func (r raster) photo(ctx context.Context, to *colour.Transform, orientation int, keepDeep bool) (*cutout.Photo, error) {
	if r.pix != nil && orientation == 1 {
		return r.adopt(ctx, to)
	}
	t := turn{orientation: orientation, width: r.width, height: r.height}
	p := &cutout.Photo{}
	p.Width, p.Height = t.size()
	p.Pix = make([]uint8, 4*r.width*r.height)
	if keepDeep && r.deep() {
		p.Deep = make([]uint16, 4*r.width*r.height)
	}
	opaque, err := inBlocks(ctx, r.width, r.height, func() func(lo, hi int) bool {
		if r.deep() {
			return r.deepBlock(p, to, t)
		}
		return r.block(p, to, t)
	})
	p.Opaque = r.opaque || opaque
	return p, err
}

// adopt takes over pixels that are in the photo's layout already.
func (r raster) adopt(ctx context.Context, to *colour.Transform) (*cutout.Photo, error) {
	p := &cutout.Photo{Width: r.width, Height: r.height, Pix: r.pix, Opaque: r.opaque}
	if to == nil && r.opaque {
		return p, nil
	}
	n := 4 * r.width
	opaque, err := inBlocks(ctx, r.width, r.height, func() func(lo, hi int) bool {
		return func(lo, hi int) bool {
			rows := p.Pix[lo*n : hi*n]
			to.Apply(rows)
			return r.opaque || allOpaque(rows)
		}
	})
	p.Opaque = opaque
	return p, err
}

func (r raster) block(p *cutout.Photo, to *colour.Transform, t turn) func(lo, hi int) bool {
	row, n := r.rows(), 4*r.width
	var scratch []uint8
	if t.orientation != 1 {
		scratch = make([]uint8, r.blockRows()*n)
	}
	return func(lo, hi int) bool {
		buf := p.Pix[lo*n : hi*n]
		if t.orientation != 1 {
			buf = scratch[:(hi-lo)*n]
		}
		for y := lo; y < hi; y++ {
			row(y, buf[(y-lo)*n:][:n])
		}
		to.Apply(buf)
		if t.orientation != 1 {
			scatter(t, p.Pix, buf, lo)
		}
		return r.opaque || allOpaque(buf)
	}
}

func (r raster) deepBlock(p *cutout.Photo, to *colour.Transform, t turn) func(lo, hi int) bool {
	row, n := r.deepRows(), 4*r.width
	buf, low := make([]uint16, r.blockRows()*n), make([]uint8, r.blockRows()*n)
	return func(lo, hi int) bool {
		buf, low := buf[:(hi-lo)*n], low[:(hi-lo)*n]
		for y := lo; y < hi; y++ {
			row(y, buf[(y-lo)*n:][:n])
		}
		to.ApplyDeep(buf)
		for i, v := range buf {
			low[i] = uint8((uint32(v)*255 + 32767) / 65535)
		}
		scatter(t, p.Pix, low, lo)
		if p.Deep == nil {
			return r.opaque || allOpaque(low)
		}
		scatter(t, p.Deep, buf, lo)
		opaque := true
		for i := 3; i < len(buf); i += 4 {
			opaque = opaque && buf[i] == 0xffff
		}
		return opaque
	}
}

func allOpaque(rows []uint8) bool {
	for i := 3; i < len(rows); i += 4 {
		if rows[i] != 255 {
			return false
		}
	}
	return true
}
