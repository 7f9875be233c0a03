package compose

import (
	"context"
	"image"
	"math"
	"sync"

	"bgremover.pro/core/cutout"
)

// visible is the least alpha, 5 %, that counts as part of the subject; solid, one half,
// what counts as its body.
const visible, solid = 13, 128

// Bounds returns the smallest rectangle that holds every pixel whose alpha is at
// least 13 of 255; it is empty where there is none.
func Bounds(ctx context.Context, photo *cutout.Photo) (image.Rectangle, error) {
	return bounds(ctx, photo, visible)
}

// Body returns the smallest rectangle that holds every pixel whose alpha is at least
// one half, or Bounds where there is none. A frame is laid around it, as faint remains
// elsewhere would move the subject out of its middle.
func Body(ctx context.Context, photo *cutout.Photo) (image.Rectangle, error) {
	box, err := bounds(ctx, photo, solid)
	if err == nil && box.Empty() {
		return Bounds(ctx, photo)
	}
	return box, err
}

func bounds(ctx context.Context, photo *cutout.Photo, least uint8) (image.Rectangle, error) {
	var mu sync.Mutex
	var all image.Rectangle
	err := cutout.Rows(ctx, photo.Height, func(from, to int) {
		var box image.Rectangle
		for y := from; y < to; y++ {
			row := photo.Pix[4*y*photo.Width:][:4*photo.Width]
			left, right := 0, photo.Width
			for left < right && row[4*left+3] < least {
				left++
			}
			for right > left && row[4*right-1] < least {
				right--
			}
			box = box.Union(image.Rect(left, y, right, y+1))
		}
		mu.Lock()
		defer mu.Unlock()
		all = all.Union(box)
	})
	return all, err
}

// Frame adds a margin around a subject's bounds: on each side
// round(margin * the longer side of the bounds) pixels, as far as the photo
// reaches. An empty rectangle stays empty.
func Frame(photo *cutout.Photo, bounds image.Rectangle, margin float64) image.Rectangle {
	if bounds.Empty() {
		return bounds
	}
	grow := int(math.Round(margin * float64(max(bounds.Dx(), bounds.Dy()))))
	return bounds.Inset(-grow).Intersect(image.Rect(0, 0, photo.Width, photo.Height))
}

// Crop returns the part of the photo inside the frame; the photo itself where
// the frame is all of it or, so far as the photo reaches, empty. It is made in
// place, so that no second photo is held; the original is unusable afterwards. The
// error is the context's.
func Crop(ctx context.Context, photo *cutout.Photo, frame image.Rectangle) (*cutout.Photo, error) {
	whole := image.Rect(0, 0, photo.Width, photo.Height)
	frame = frame.Intersect(whole)
	if frame.Empty() || frame == whole {
		return photo, nil
	}
	out := &cutout.Photo{Width: frame.Dx(), Height: frame.Dy(), Opaque: photo.Opaque}
	var err error
	if out.Pix, err = cropped(ctx, photo.Pix, photo.Width, frame); err != nil {
		return nil, err
	}
	if photo.Deep != nil {
		out.Deep, err = cropped(ctx, photo.Deep, photo.Width, frame)
	}
	return out, err
}

// cropped moves the frame's rows to the front; none is overwritten before it is
// read, as each moves towards the front or stays.
func cropped[T uint8 | uint16](ctx context.Context, pix []T, width int, frame image.Rectangle) ([]T, error) {
	row := 4 * frame.Dx()
	for y := range frame.Dy() {
		if y%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		from := 4 * ((frame.Min.Y+y)*width + frame.Min.X)
		copy(pix[y*row:(y+1)*row], pix[from:from+row])
	}
	return pix[: row*frame.Dy() : row*frame.Dy()], nil
}
