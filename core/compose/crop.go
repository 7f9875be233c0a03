package compose

import (
	"image"
	"math"

	"bgremover.pro/core/cutout"
)

// visible is the least alpha, 5 %, that counts as part of the subject.
const visible = 13

// Bounds returns the smallest rectangle that holds every pixel whose alpha is at
// least 13 of 255; it is empty where there is none.
func Bounds(photo *cutout.Photo) image.Rectangle {
	var box image.Rectangle
	for y := range photo.Height {
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
	return box
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
// place: the photo is of no use afterwards, and no second one is held.
func Crop(photo *cutout.Photo, frame image.Rectangle) *cutout.Photo {
	whole := image.Rect(0, 0, photo.Width, photo.Height)
	frame = frame.Intersect(whole)
	if frame.Empty() || frame == whole {
		return photo
	}
	out := &cutout.Photo{
		Width: frame.Dx(), Height: frame.Dy(), Opaque: photo.Opaque,
		Pix: cropped(photo.Pix, photo.Width, frame),
	}
	if photo.Deep != nil {
		out.Deep = cropped(photo.Deep, photo.Width, frame)
	}
	return out
}

// cropped moves the frame's rows to the front; none is overwritten before it is
// read, as each moves towards the front or stays.
func cropped[T uint8 | uint16](pix []T, width int, frame image.Rectangle) []T {
	row := 4 * frame.Dx()
	for y := range frame.Dy() {
		from := 4 * ((frame.Min.Y+y)*width + frame.Min.X)
		copy(pix[y*row:(y+1)*row], pix[from:from+row])
	}
	return pix[: row*frame.Dy() : row*frame.Dy()]
}
