// Package decode turns an uploaded file into an upright sRGB photo with
// memory-safe code only: the standard library, golang.org/x/image and, for
// HEIC and AVIF, WebAssembly in a sandbox. What a file claims is
// checked from its header, before any pixel is allocated.
package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"bgremover.pro/core/cutout"
)

// Limits bound one decoding; a zero field does not limit.
type Limits struct {
	// MaxSide is the most that width and height each may be: some work and memory grow with
	// rows and columns.
	MaxSide int
	// MaxPixels is the most that width times height may be.
	MaxPixels int
	// MaxMemory is the most that decoding may allocate, in bytes, the
	// finished photo included.
	MaxMemory int64
	// Timeout is the longest that decoding may take.
	Timeout time.Duration
}

// Header is what a file's header claims.
type Header struct {
	Format string // "jpeg", "png", "webp", "gif", "bmp", "tiff", "heic" or "avif"
	// Width and Height are in pixels, as the picture is shown upright.
	Width, Height int
	// Depth is the number of bits a channel, at most 16.
	Depth int
	// Memory is about what decoding needs at its peak, in bytes.
	Memory int64
}

// Accepted lists the formats, for messages.
const Accepted = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP and TIFF"

// Upload is a file whose header was read and is within the limits.
type Upload struct {
	Header
	data   []byte
	codec  codec
	head   header
	limits Limits
	deep   bool
}

// Open reads a file's header, once, and decodes no pixel. With deep the photo
// will keep 16-bit samples where the file has more than eight bits a channel
// (see cutout.Photo).
//
// The codes of its errors: Invalid for a damaged file, UnsupportedFormat,
// TooManyPixels for what exceeds the limits on sides, pixels or memory, Timeout
// and Canceled.
func Open(ctx context.Context, data []byte, limits Limits, deep bool) (u *Upload, err error) {
	defer recovered(&err)
	if err := ctx.Err(); err != nil {
		return nil, stopped(err)
	}
	codec, head, err := probe(data)
	if head.Width > 0 && head.Height > 0 {
		// Checked first even if the file breaks other limits: size is what its
		// visitor can change.
		if err := limits.checkSize(head.Width, head.Height); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	head.Memory += rasterMemory(head.Width, head.Height)
	if deep && head.Depth > 8 {
		head.Memory += 8 * int64(head.Width) * int64(head.Height)
	}
	if limits.MaxMemory > 0 && head.Memory > limits.MaxMemory {
		return nil, cutout.Errorf(cutout.TooManyPixels,
			"Decoding this photo needs %d MB of memory; the limit is %d MB. Please make it smaller, or save it as a plain JPEG or PNG.",
			head.Memory>>20, limits.MaxMemory>>20)
	}
	return &Upload{Header: head.Header, data: data, codec: codec, head: head, limits: limits, deep: deep}, nil
}

// Decode decodes a photo, turned upright and converted to sRGB; of an animation, the
// first frame. The codes of its errors are those of Open.
func (u *Upload) Decode(ctx context.Context) (photo *cutout.Photo, err error) {
	defer recovered(&err)
	if u.limits.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, u.limits.Timeout)
		defer cancel()
	}
	if err := ctx.Err(); err != nil {
		return nil, stopped(err)
	}
	raster, err := u.codec.decode(ctx, u.data, u.head)
	if err != nil {
		return nil, explain(ctx, err)
	}
	if raster.close != nil {
		defer raster.close()
	}
	// A codec that found another size than the header promised has to pass
	// the limits too.
	if err := u.limits.checkSize(raster.width, raster.height); err != nil {
		return nil, err
	}
	photo, err = raster.photo(ctx, u.head.colours(), u.head.orientation, u.deep)
	if err != nil {
		return nil, explain(ctx, err)
	}
	return photo, nil
}

// Decode opens and decodes a file.
func Decode(ctx context.Context, data []byte, limits Limits, deep bool) (*cutout.Photo, error) {
	upload, err := Open(ctx, data, limits, deep)
	if err != nil {
		return nil, err
	}
	return upload.Decode(ctx)
}

func (l Limits) checkSize(width, height int) error {
	if l.MaxSide > 0 && max(width, height) > l.MaxSide {
		return cutout.Errorf(cutout.TooManyPixels,
			"This photo is %d x %d pixels; at most %d a side are accepted. Please make it smaller.", width, height, l.MaxSide)
	}
	if l.MaxPixels > 0 && int64(width)*int64(height) > int64(l.MaxPixels) {
		return cutout.Errorf(cutout.TooManyPixels,
			"This photo has %s (%d x %d); at most %s are accepted. Please make it smaller.",
			megapixels(int64(width)*int64(height)), width, height, megapixels(int64(l.MaxPixels)))
	}
	return nil
}

func megapixels(n int64) string {
	if n < 10_000_000 {
		return fmt.Sprintf("%.1f megapixels", float64(n)/1e6)
	}
	return fmt.Sprintf("%d megapixels", n/1_000_000)
}

// errUnsupported marks a variant of an accepted format that no codec here supports.
var errUnsupported = errors.New("unsupported variant")

// explain gives a codec's error its code and message.
func explain(ctx context.Context, err error) error {
	var known *cutout.Error
	switch {
	case errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return stopped(ctx.Err())
	case isUnsupported(err):
		return cutout.Wrap(cutout.UnsupportedFormat, err,
			"This variant of the file format is not supported. Please save the photo as a plain JPEG or PNG. Accepted formats: "+Accepted+".")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return cutout.Wrap(cutout.Invalid, err,
			"The file is incomplete; the transfer was probably cut off. Please try again with the original.")
	}
	return cutout.Wrap(cutout.Invalid, err,
		"The file is damaged and cannot be read as a picture. Please try again with the original.")
}

func stopped(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return cutout.Wrap(cutout.Timeout, err, "Decoding the photo took too long and was stopped.")
	}
	return cutout.Wrap(cutout.Canceled, err, "The request was cancelled.")
}

// recovered turns a panic inside a codec, which only a damaged file can cause,
// into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = explain(context.Background(), fmt.Errorf("panic: %v", p))
	}
}
