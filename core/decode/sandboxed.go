//go:build !js

package decode

import (
	"context"
	"encoding/binary"
	"errors"
	"image"

	"bgremover.pro/core/decode/internal/colour"
	"bgremover.pro/core/sandbox"
	"bgremover.pro/core/sandbox/clib"
)

// Prepare compiles the codecs, about a second of work that the first HEIC, AVIF or
// lossy WebP photo would otherwise wait for.
func Prepare() error {
	return errors.Join(clib.HEIF.Prepare(), clib.AVIF.Prepare(), clib.WebP.Prepare())
}

// wasmPicture runs a codec's decode function twice, as both codecs have it:
// for the size and kind, then for the pixels, of which it wants to know the
// number of bytes.
type wasmPicture struct {
	*sandbox.Process
	input  uint32
	length int
	info   uint32 // address of the numbers that describe the picture
	fields int
}

func startWasm(ctx context.Context, program *sandbox.Program, data []byte, h header, fields int) (*wasmPicture, error) {
	process, err := program.Start(ctx, h.sandbox)
	if err != nil {
		return nil, err
	}
	p := &wasmPicture{Process: process, length: len(data), fields: fields}
	if p.input, err = process.Write(data); err == nil {
		p.info, err = process.Write(make([]byte, 4*fields))
	}
	if err != nil {
		process.Close()
		return nil, err
	}
	return p, nil
}

// decode calls the codec and returns the numbers it set.
func (p *wasmPicture) decode(args ...uint32) ([]int, error) {
	ok, err := p.Call("decode", args...)
	if err != nil {
		return nil, err
	}
	if ok == 0 {
		return nil, errors.New("the codec refused it")
	}
	view, err := p.Read(p.info, 4*p.fields)
	if err != nil {
		return nil, err
	}
	numbers := make([]int, p.fields)
	for i := range numbers {
		numbers[i] = int(binary.LittleEndian.Uint32(view[4*i:]))
	}
	return numbers, nil
}

// field returns the address of one number.
func (p *wasmPicture) field(i int) uint32 { return p.info + uint32(4*i) }

// decodeLossy decodes the picture of a lossy WebP by libwebp, as the Go decoder of
// those cannot be stopped. It would give lossless ones with their colours halved.
func decodeLossy(ctx context.Context, info *webpInfo, h header) (raster, error) {
	p, err := startWasm(ctx, clib.WebP, info.still(), h, 5)
	if err != nil {
		return raster{}, err
	}
	r, err := p.webp(info.frame.Dx(), info.frame.Dy(), info.alph != nil)
	if err != nil {
		p.Close()
		return raster{}, err
	}
	r.close = p.Close
	return r, nil
}

// webp lets libwebp write the planes of luma, chroma and alpha.
func (p *wasmPicture) webp(width, height int, alpha bool) (raster, error) {
	half := (width + 1) / 2
	luma, chroma := width*height, half*((height+1)/2)
	size := 2 * (luma + chroma)
	out, err := p.Alloc(size)
	if err != nil {
		return raster{}, err
	}
	const sizeOnly, allFrames = 0, 0
	found, err := p.decode(p.input, uint32(p.length), sizeOnly, allFrames, p.field(0), p.field(1), p.field(2), p.field(3), p.field(4), out)
	if err != nil {
		return raster{}, err
	}
	if found[0] != width || found[1] != height {
		return raster{}, errors.New("the codec found another size")
	}
	view, err := p.Read(out, size)
	if err != nil {
		return raster{}, err
	}
	planes := planar{coding: colour.VP8, YCbCr: &image.YCbCr{
		Y: view[:luma], Cb: view[luma:][:chroma], Cr: view[luma+chroma:][:chroma],
		YStride: width, CStride: half, SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, width, height),
	}}
	if alpha {
		planes.alpha, planes.alphaStride = view[luma+2*chroma:], width
	}
	return raster{width: width, height: height, opaque: !alpha, rows: planes.rows()}, nil
}
