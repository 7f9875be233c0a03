package decode

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/gif"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

func isGIF(data []byte) bool {
	return bytes.HasPrefix(data, []byte("GIF87a")) || bytes.HasPrefix(data, []byte("GIF89a"))
}

func probeGIF(data []byte) (header, error) {
	c, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return header{}, err
	}
	h := header{orientation: 1}
	h.Width, h.Height, h.Depth = c.Width, c.Height, 8
	h.Memory = 6 * int64(c.Width) * int64(c.Height)
	return h, nil
}

// decodeGIF returns the first frame, on the canvas that it is a part of.
func decodeGIF(ctx context.Context, data []byte, h header) (raster, error) {
	img, err := gif.Decode(newReader(ctx, data).plain())
	if err != nil {
		return raster{}, err
	}
	frame, ok := img.(*image.Paletted)
	if !ok {
		return raster{}, errUnsupported
	}
	r, err := newRaster(frame)
	canvas := image.Rect(0, 0, h.Width, h.Height)
	if err != nil || frame.Rect == canvas {
		return r, err
	}
	return r.on(canvas, frame.Rect), nil
}

func probeBMP(data []byte) (header, error) {
	c, err := bmp.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return header{}, err
	}
	h := header{orientation: 1}
	h.Width, h.Height, h.Depth = c.Width, c.Height, 8
	pixels := int64(c.Width) * int64(c.Height)
	h.Memory = 5 * pixels
	if pixels/8 > int64(len(data)) { // nothing here is compressed: one bit a pixel is the least
		return header{}, errors.New("fewer bytes than pixels need")
	}
	return h, nil
}

func decodeBMP(ctx context.Context, data []byte, _ header) (raster, error) {
	img, err := bmp.Decode(newReader(ctx, data).plain())
	if err != nil {
		return raster{}, err
	}
	return newRaster(img)
}

func isTIFF(data []byte) bool {
	return bytes.HasPrefix(data, []byte("II*\x00")) || bytes.HasPrefix(data, []byte("MM\x00*"))
}

func probeTIFF(data []byte) (header, error) {
	d, err := readDirectory(data)
	if err != nil {
		return header{}, err
	}
	h := header{orientation: d.number(tagOrientation, 1)}
	h.profile, _ = d.value(tagProfile)
	h.Width, h.Height = d.number(tagWidth, 0), d.number(tagHeight, 0)
	h.Depth = min(16, max(8, d.number(tagBits, 1)))
	const most = 1 << 24 // a side; keeps the products below in range
	tile := [2]int{d.number(tagTileWidth, 0), d.number(tagTileHeight, 0)}
	if h.Width > most || h.Height > most || tile[0] > most || tile[1] > most {
		return header{}, errors.New("impossible size")
	}
	// One strip or tile is unpacked at a time, and a strip may be the picture.
	pixels := max(int64(h.Width)*int64(h.Height), int64(tile[0])*int64(tile[1]))
	samples := int64(min(8, d.number(tagSamples, 1)))
	h.Memory = pixels * (4*int64(h.Depth/8) + samples*int64(h.Depth/8) + 4)
	return h, nil
}

func decodeTIFF(ctx context.Context, data []byte, _ header) (raster, error) {
	img, err := tiff.Decode(newReader(ctx, data))
	if err != nil {
		return raster{}, err
	}
	return newRaster(img)
}
