package decode

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/gif"

	"golang.org/x/image/bmp"
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
	h.Memory = 6 * area(c.Width, c.Height)
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
	pixels := area(c.Width, c.Height)
	h.Memory = 5 * pixels
	if pixels/8 > int64(len(data)) { // nothing here is compressed: one bit a pixel is the least
		return h, errors.New("fewer bytes than pixels need")
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
