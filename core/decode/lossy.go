//go:build !js

package decode

import (
	"context"
	"errors"
	"image"

	"bgremover.pro/core/decode/internal/colour"
	"bgremover.pro/core/sandbox/clib"
)

// Prepare compiles the codecs, about a second of work that the first HEIC, AVIF or
// lossy WebP photo would otherwise wait for.
func Prepare() error {
	return errors.Join(clib.HEIF.Prepare(), clib.AVIF.Prepare(), clib.WebP.Prepare())
}

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
