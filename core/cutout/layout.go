package cutout

import "image"

// Length is a distance in pixels or, with Percent, in per cent of a whole.
type Length struct {
	Value   float64
	Percent bool
}

// Of returns the length in pixels, given the whole.
func (l Length) Of(whole int) float64 {
	if l.Percent {
		return l.Value / 100 * float64(whole)
	}
	return l.Value
}

// Region is a part of a photo: the distances of its sides from the photo's left and
// upper border.
type Region struct{ Left, Top, Right, Bottom Length }

// Why a region cannot be used, which is known once the photo's size is.
var (
	ErrRegionOutside = &Error{Code: Invalid, Message: "The region reaches beyond the photo."}
	ErrRegionEmpty   = &Error{Code: Invalid, Message: "The region holds no pixel of the photo."}
)

// In returns the region's pixels in a photo of the given size. Code: Invalid.
func (r Region) In(width, height int) (image.Rectangle, error) {
	left, top, right, bottom := r.Left.Of(width), r.Top.Of(height), r.Right.Of(width), r.Bottom.Of(height)
	if left < 0 || top < 0 || right > float64(width) || bottom > float64(height) {
		return image.Rectangle{}, ErrRegionOutside
	}
	if right < left || bottom < top {
		return image.Rectangle{}, ErrRegionEmpty
	}
	box := image.Rect(int(left+0.5), int(top+0.5), int(right+0.5), int(bottom+0.5))
	if box.Empty() {
		return image.Rectangle{}, ErrRegionEmpty
	}
	return box, nil
}

// Layout places the subject in a frame, which is the result. The zero value is the
// photo's own frame with the subject where it was.
type Layout struct {
	// Crop makes the subject itself the frame, with margins above, right, below and
	// left of it, in pixels or in per cent of its height or width. They may reach
	// beyond the photo.
	Crop    bool
	Margins [4]Length
	// Scale is the subject's size as a share, above 0 to 1, of the largest that fits
	// the frame; 0 leaves the subject as it is.
	Scale float64
	// Position is where the subject lies: as a share, 0 to 1, of the free space on
	// its left and above it. Without one it stays where it was.
	Position *[2]float64
	// MaxPixels bounds the result, which is made smaller as a whole to fit; 0 means
	// that nothing does.
	MaxPixels int
	// Frame, where set, is a canvas around the subject; Crop, Margins, Scale and
	// Position are then not used.
	Frame *Frame
}

// Placed says what came of a layout.
type Placed struct {
	// Subject is where the subject lies in the result; empty where there is none.
	Subject image.Rectangle
	// FullWidth and FullHeight are the result's size without MaxPixels.
	FullWidth, FullHeight int
}
