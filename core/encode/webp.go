//go:build !js

package encode

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/sandbox"
	"bgremover.pro/core/sandbox/clib"
)

// Prepare compiles the WebP encoder, a third of a second of work that the first WebP
// would otherwise wait for.
func Prepare() error { return clib.WebP.Prepare() }

// libwebp writes photos lossy, which for a cut-out is a fifth of a PNG's size; without loss
// 12 megapixels took 5 s and were as large as the PNG. Method 0, because the effort goes
// into the alpha plane, which is coded without loss: for a cut-out of 12 megapixels with
// fine edges 2.6 s and 2.2 MB, with method 2 6.4 s and 1.9 MB.
const (
	webpQuality = 90
	webpMethod  = 0 // fast, to 6, small
	webpSide    = 1<<14 - 1

	largeWebP = 10 << 20 // bytes of input, 4 megapixels

	// The codec's words for what its input holds.
	webpRGBA = 0
	webpYUVA = 4
)

func photoWebP(ctx context.Context, p *cutout.Photo) ([]byte, error) {
	luma, chroma := p.Width*p.Height, (p.Width+1)/2*((p.Height+1)/2)
	fill := func(pix []byte) error {
		planes := yuva{p, pix[:luma], pix[luma:][:chroma], pix[luma+chroma:][:chroma], pix[luma+2*chroma:]}
		return planes.fill(ctx)
	}
	return writeWebP(ctx, p.Width, p.Height, 2*luma+2*chroma, fill, webpYUVA, webpQuality, webpMethod, 0)
}

// maskWebP writes a mask without loss, as a mask is data.
func maskWebP(ctx context.Context, m *cutout.Mask) ([]byte, error) {
	fill := func(pix []byte) error {
		return cutout.Rows(ctx, m.Height, func(from, to int) {
			for i, v := range m.Pix[from*m.Width : to*m.Width] {
				binary.LittleEndian.PutUint32(pix[4*(from*m.Width+i):], 0xff000000|0x010101*uint32(v))
			}
		})
	}
	const leastEffort, lossless = 0, 1
	return writeWebP(ctx, m.Width, m.Height, 4*len(m.Pix), fill, webpRGBA, leastEffort, 0, lossless)
}

// writeWebP lets fill write so many bytes of pixels into the codec's memory
// and encodes them.
func writeWebP(ctx context.Context, width, height, size int, fill func([]byte) error, kind, quality, method, lossless uint32) ([]byte, error) {
	if width < 1 || height < 1 || width > webpSide || height > webpSide {
		return nil, cutout.Errorf(cutout.Invalid, "A WebP can be %d pixels a side and this picture is %d x %d. Please choose PNG.", webpSide, width, height)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	process, err := clib.WebP.Start(ctx, 24*int64(width)*int64(height)+64<<20)
	if err != nil {
		return nil, err
	}
	defer process.Close()
	file, err := runWebP(process, size, fill, uint32(width), uint32(height), kind, quality, method, lossless)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("webp: %w", err)
	}
	return file, nil
}

func runWebP(process *sandbox.Process, size int, fill func([]byte) error, width, height, kind, quality, method, lossless uint32) ([]byte, error) {
	input, err := process.Alloc(size)
	if err != nil {
		return nil, err
	}
	length, err := process.Write(make([]byte, 8))
	if err != nil {
		return nil, err
	}
	pix, err := process.Read(input, size)
	if err != nil {
		return nil, err
	}
	if err := fill(pix); err != nil {
		return nil, err
	}
	if size > largeWebP {
		// From here on the codec needs ten times the photo's own memory, and the
		// photo itself is no longer needed.
		debug.FreeOSMemory()
	}
	const keepHiddenColours = 0
	at, err := process.Call("encode", input, width, height, length, kind, quality, method, lossless, keepHiddenColours)
	if err != nil {
		return nil, err
	}
	if at == 0 {
		return nil, errors.New("the codec refused it")
	}
	n, err := process.Read(length, 4)
	if err != nil {
		return nil, err
	}
	file, err := process.Read(at, int(binary.LittleEndian.Uint32(n)))
	return append([]byte(nil), file...), err
}
