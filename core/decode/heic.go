package decode

import (
	"context"
	"fmt"
	"image"
	"slices"

	"bgremover.pro/core/decode/internal/colour"
	"bgremover.pro/core/sandbox/clib"
)

// heicMemory is what libheif takes for a pixel; measured peaks are 6 to 10.
const heicMemory = 12

// probeHEIC differs from probeAVIF in that libheif turns the picture itself.
func probeHEIC(data []byte) (header, error) {
	h, err := probeHEIF(data, heicMemory)
	if h.orientation >= 5 {
		h.Width, h.Height = h.Height, h.Width
	}
	h.orientation = 1
	return h, err
}

// libheif's numbers for kinds of pixels.
const (
	heifYCbCr, heifRGB, heifGrey = 0, 1, 2
	heif420, heif422, heif444    = 1, 2, 3
)

func decodeHEIC(ctx context.Context, data []byte, h header) (raster, error) {
	// The codec's wrapper refuses files whose first brand is not HEVC's, even if their
	// content is.
	data = slices.Concat(data[:8], []byte("heic"), data[12:])
	p, err := startWasm(ctx, clib.HEIF, data, h, 5)
	if err != nil {
		return raster{}, err
	}
	r, err := p.heic(h)
	if err != nil {
		p.Close()
		return raster{}, err
	}
	r.close = p.Close
	return r, nil
}

func (p *wasmPicture) heic(h header) (raster, error) {
	call := func(sizeOnly, out uint32) ([]int, error) {
		return p.decode(p.input, uint32(p.length), sizeOnly, p.field(0), p.field(1), p.field(2), p.field(3), p.field(4), out)
	}
	info, err := call(1, 0)
	if err != nil {
		return raster{}, err
	}
	width, height := info[0], info[1]
	if width != h.Width || height != h.Height {
		return raster{}, fmt.Errorf("size %dx%d is not the header's", width, height)
	}
	img := &image.YCbCr{Rect: image.Rect(0, 0, width, height), YStride: align(width)}
	chromaRows := height
	switch kind, chroma := info[2], info[3]; {
	case kind == heifGrey:
		chromaRows = 0
	case kind == heifRGB:
		img.YStride = align(4 * width)
		chromaRows = 0
	case kind == heifYCbCr && chroma == heif420:
		img.SubsampleRatio, img.CStride, chromaRows = image.YCbCrSubsampleRatio420, align((width+1)/2), (height+1)/2
	case kind == heifYCbCr && chroma == heif422:
		img.SubsampleRatio, img.CStride = image.YCbCrSubsampleRatio422, align((width+1)/2)
	case kind == heifYCbCr && chroma == heif444:
		img.SubsampleRatio, img.CStride = image.YCbCrSubsampleRatio444, img.YStride
	default:
		return raster{}, errUnsupported
	}
	luma, chroma := img.YStride*height, img.CStride*chromaRows
	out, err := p.Alloc(luma + 2*chroma)
	if err != nil {
		return raster{}, err
	}
	if _, err := call(0, out); err != nil {
		return raster{}, err
	}
	view, err := p.Read(out, luma+2*chroma)
	if err != nil {
		return raster{}, err
	}
	img.Y, img.Cb, img.Cr = view[:luma], view[luma:luma+chroma], view[luma+chroma:]
	coding := colour.JPEG
	if h.coding != nil {
		coding = *h.coding
	}
	switch info[2] {
	case heifGrey:
		return newRaster(&image.Gray{Pix: img.Y, Stride: img.YStride, Rect: img.Rect})
	case heifRGB:
		r := raster{width: width, height: height}
		r.rows = plain(func(y int, dst []uint8) { copy(dst, img.Y[y*img.YStride:]) })
		return r, nil
	}
	return raster{width: width, height: height, opaque: true, rows: planar{YCbCr: img, coding: coding}.rows()}, nil
}

// align returns the length of libheif's rows: no shorter than 64 bytes, and
// rounded up to 16.
func align(n int) int { return (max(n, 64) + 15) &^ 15 }
