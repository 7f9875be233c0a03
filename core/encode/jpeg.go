package encode

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"

	"bgremover.pro/core/cutout"
)

// quality is JPEG's, 1 to 100: beyond it files grow faster than they improve.
const quality = 90

func photoJPEG(ctx context.Context, p *cutout.Photo) ([]byte, error) {
	return writeJPEG(ctx, &image.RGBA{Pix: p.Pix, Stride: 4 * p.Width, Rect: image.Rect(0, 0, p.Width, p.Height)})
}

func maskJPEG(ctx context.Context, m *cutout.Mask) ([]byte, error) {
	return writeJPEG(ctx, &image.Gray{Pix: m.Pix, Stride: m.Width, Rect: image.Rect(0, 0, m.Width, m.Height)})
}

func writeJPEG(ctx context.Context, img image.Image) ([]byte, error) {
	const most = 1<<16 - 1
	if size := img.Bounds().Size(); size.X > most || size.Y > most {
		return nil, cutout.Errorf(cutout.Invalid, "A JPEG can be %d pixels a side and this picture is %d x %d. Please choose PNG.", most, size.X, size.Y)
	}
	out := writer{done: ctx.Done(), cause: func() error { return context.Cause(ctx) }}
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writer collects a file and fails once its context is done, which stops the
// encoder.
type writer struct {
	bytes.Buffer
	done  <-chan struct{}
	cause func() error
}

func (w *writer) Write(p []byte) (int, error) {
	select {
	case <-w.done:
		return 0, w.cause()
	default:
		return w.Buffer.Write(p)
	}
}
