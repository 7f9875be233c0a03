package compose

import (
	"context"
	"image"
	"math"
	"sync"

	"bgremover.pro/core/cutout"
)

// visible is the least alpha, 5 %, that counts as part of the subject.
const visible = 13

// Bounds returns the smallest rectangle that holds every pixel whose alpha is at
// least 13 of 255; it is empty where there is none.
func Bounds(ctx context.Context, photo *cutout.Photo) (image.Rectangle, error) {
	var mu sync.Mutex
	var all image.Rectangle
	err := cutout.Rows(ctx, photo.Height, func(from, to int) {
		var box image.Rectangle
		for y := from; y < to; y++ {
			row := photo.Pix[4*y*photo.Width:][:4*photo.Width]
			left, right := 0, photo.Width
			for left < right && row[4*left+3] < visible {
				left++
			}
			for right > left && row[4*right-1] < visible {
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

// Crop returns the part of the photo inside the frame, as a photo of its own;
// the photo itself where the frame is all of it or, so far as the photo reaches,
// empty.
func Crop(ctx context.Context, photo *cutout.Photo, frame image.Rectangle) (*cutout.Photo, error) {
	whole := image.Rect(0, 0, photo.Width, photo.Height)
	frame = frame.Intersect(whole)
	if frame.Empty() || frame == whole {
		return photo, nil
	}
	width, height := frame.Dx(), frame.Dy()
	out := &cutout.Photo{Width: width, Height: height, Opaque: photo.Opaque, Pix: make([]uint8, 4*width*height)}
	if photo.Deep != nil {
		out.Deep = make([]uint16, 4*width*height)
	}
	return out, cutout.Rows(ctx, height, func(from, to int) {
		for y := from; y < to; y++ {
			at, start := 4*y*width, 4*((frame.Min.Y+y)*photo.Width+frame.Min.X)
			copy(out.Pix[at:at+4*width], photo.Pix[start:])
			if photo.Deep != nil {
				copy(out.Deep[at:at+4*width], photo.Deep[start:])
			}
		}
	})
}
