//go:build !js

package decode

import (
	"context"
	"encoding/binary"
	"fmt"

	"bgremover.pro/core/sandbox/clib"
)

// avifMemory and avifDeepMemory are what libavif takes for a pixel of eight
// bits and of more; measured peaks are 20 to 23, and 31 to 35.
const avifMemory, avifDeepMemory = 26, 40

func probeAVIF(data []byte) (header, error) {
	h, err := probeHEIF(data, avifMemory)
	if h.Depth > 8 {
		h, err = probeHEIF(data, avifDeepMemory)
	}
	return h, err
}

func decodeAVIF(ctx context.Context, data []byte, h header) (raster, error) {
	p, err := startWasm(ctx, clib.AVIF, data, h, 6)
	if err != nil {
		return raster{}, err
	}
	r, err := p.avif(h)
	if err != nil {
		p.Close()
		return raster{}, err
	}
	r.close = p.Close
	return r, nil
}

func (p *wasmPicture) avif(h header) (raster, error) {
	call := func(sizeOnly, out uint32) ([]int, error) {
		const allFrames = 0
		return p.decode(p.input, uint32(p.length), sizeOnly, allFrames, p.field(0), p.field(1), p.field(2), p.field(3), p.field(4), out)
	}
	info, err := call(1, 0)
	if err != nil {
		return raster{}, err
	}
	width, height, deep := info[0], info[1], info[2] > 8
	if width*height != h.Width*h.Height {
		return raster{}, fmt.Errorf("size %dx%d is not the header's", width, height)
	}
	stride := 4 * width
	if deep {
		stride *= 2
	}
	out, err := p.Alloc(stride * height)
	if err != nil {
		return raster{}, err
	}
	if _, err := call(0, out); err != nil {
		return raster{}, err
	}
	view, err := p.Read(out, stride*height)
	if err != nil {
		return raster{}, err
	}
	r := raster{width: width, height: height}
	if deep {
		r.wide(func(y int, dst []uint16) {
			src := view[y*stride:]
			for i := range dst {
				dst[i] = binary.LittleEndian.Uint16(src[2*i:])
			}
			divideAlpha(dst)
		})
		return r, nil
	}
	// libavif is asked for colours times alpha; opaque pixels are the same.
	r.premultiplied(view, stride)
	return r, nil
}
