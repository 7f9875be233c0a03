// Package decode turns an uploaded file into an upright sRGB photo with
// memory-safe code only: the standard library, golang.org/x/image and, for
// HEIC and AVIF, WebAssembly in a sandbox. What a file claims about itself is
// checked on its header, before any pixel is allocated.
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
	// MaxPixels is the most that width times height may be.
	MaxPixels int
	// MaxMemory is the most that decoding may allocate, in bytes, the
	// finished photo included.
	MaxMemory int64
	// Timeout is the longest that decoding may take.
	Timeout time.Duration
}

// Header is what a file says of itself.
type Header struct {
	Format string // "jpeg", "png", "webp", "gif", "bmp", "tiff", "heic" or "avif"
	// Width and Height are in pixels, as the picture is shown upright.
	Width, Height int
	// Depth is the number of bits a channel, at most 16.
	Depth int
	// Memory is about what decoding to eight bits needs at its peak, in bytes.
	Memory int64
}

// Accepted names the formats for sentences.
const Accepted = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP and TIFF"

// Probe reads a file's header and decodes no pixel. Its errors are those of
// Decode, except for the limits.
func Probe(upload []byte) (h Header, err error) {
	defer recovered(&err)
	_, head, err := probe(upload)
	return head.Header, err
}

// Decode decodes a photo: turned upright, converted to sRGB, of an animation
// the first frame. With deep it keeps 16-bit samples where the file has more
// than eight bits a channel (see cutout.Photo).
//
// The codes of its errors: Invalid for a damaged file, UnsupportedFormat,
// TooManyPixels for what exceeds the limits on pixels or memory, Timeout and
// Canceled.
func Decode(ctx context.Context, upload []byte, limits Limits, deep bool) (photo *cutout.Photo, err error) {
	defer recovered(&err)
	if limits.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limits.Timeout)
		defer cancel()
	}
	codec, head, err := probe(upload)
	if err != nil {
		return nil, err
	}
	if err := limits.check(head.Header, deep); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, stopped(err)
	}
	raster, err := codec.decode(ctx, upload, head)
	if err != nil {
		return nil, explain(ctx, err)
	}
	if raster.close != nil {
		defer raster.close()
	}
	// A codec that found another size than the header promised has to pass
	// the limit too.
	if err := limits.checkPixels(raster.width, raster.height); err != nil {
		return nil, err
	}
	photo, err = raster.photo(ctx, head.colours(), head.orientation, deep)
	if err != nil {
		return nil, explain(ctx, err)
	}
	return photo, nil
}

func (l Limits) check(h Header, deep bool) error {
	if err := l.checkPixels(h.Width, h.Height); err != nil {
		return err
	}
	need := h.Memory
	if deep && h.Depth > 8 {
		need += 8 * int64(h.Width) * int64(h.Height)
	}
	if l.MaxMemory > 0 && need > l.MaxMemory {
		return cutout.Errorf(cutout.TooManyPixels,
			"Decoding this photo needs %d MB of memory and %d MB are allowed. Please make it smaller, or save it as a plain JPEG or PNG.",
			need>>20, l.MaxMemory>>20)
	}
	return nil
}

func (l Limits) checkPixels(width, height int) error {
	if l.MaxPixels <= 0 || int64(width)*int64(height) <= int64(l.MaxPixels) {
		return nil
	}
	return cutout.Errorf(cutout.TooManyPixels,
		"This photo has %s (%d x %d) and at most %s are accepted. Please make it smaller.",
		megapixels(int64(width)*int64(height)), width, height, megapixels(int64(l.MaxPixels)))
}

func megapixels(n int64) string {
	if n < 10_000_000 {
		return fmt.Sprintf("%.1f megapixels", float64(n)/1e6)
	}
	return fmt.Sprintf("%d megapixels", n/1_000_000)
}

// errUnsupported marks a variant of an accepted format that no codec here
// reads.
var errUnsupported = errors.New("unsupported variant")

// explain gives a codec's error its code and sentence.
func explain(ctx context.Context, err error) error {
	var known *cutout.Error
	switch {
	case errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return stopped(ctx.Err())
	case isUnsupported(err):
		return cutout.Wrap(cutout.UnsupportedFormat, err,
			"This variant of the file format cannot be read. Please save the photo as a plain JPEG or PNG. Accepted are "+Accepted+".")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return cutout.Wrap(cutout.Invalid, err,
			"The file ends too early: it was probably cut off on its way. Please try it again from the original.")
	}
	return cutout.Wrap(cutout.Invalid, err,
		"The file is damaged and cannot be read as a picture. Please try it again from the original.")
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
