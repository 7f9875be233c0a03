package cutout

import (
	"image"
	"math"
	"strconv"
	"strings"
)

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

// Why a region cannot be used, known only once the photo's size is.
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

// ParseBox reads a region such as "120,80,300,95" in pixels or "10%,20%,50%,90%" in per
// cent, from its upper left corner to its lower right; empty means none. Code: Invalid.
func ParseBox(s string) (*Region, error) {
	if s == "" {
		return nil, nil
	}
	wrong := Errorf(Invalid, "box is the part of the photo that the subject lies in: left, top, right and bottom, such as 120,80,300,95 in pixels or 10%%,20%%,50%%,90%% in per cent")
	parts := strings.Split(s, ",")
	if len(parts) != 4 {
		return nil, wrong
	}
	var sides [4]Length
	for i, part := range parts {
		value, percent, err := parseCoordinate(part)
		if err != nil {
			return nil, wrong
		}
		sides[i] = Length{value, percent}
	}
	return &Region{Left: sides[0], Top: sides[1], Right: sides[2], Bottom: sides[3]}, nil
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

// Placed is the outcome of a layout.
type Placed struct {
	// Subject is where the subject lies in the result; empty where there is none.
	Subject image.Rectangle
	// FullWidth and FullHeight are the result's size without MaxPixels.
	FullWidth, FullHeight int
}

// Frame is a canvas with the subject in its middle, which may reach beyond the photo.
// A subject that the photo's lower border cuts off stands on the canvas's, so that it
// does not float.
type Frame struct {
	// Width and Height, where not 0, are the canvas's size, to which the subject is
	// scaled. Without them, the subject keeps its size.
	Width, Height int
	// Aspect, where not 0, is the canvas's width divided by its height. Without size
	// and aspect, the canvas is the subject with its margin.
	Aspect float64
	// Margin is the least space on each side, as a share of the subject's longer side.
	Margin float64
}

const (
	// usualMargin is the margin of a frame that names none: the longer side of the
	// subject then takes 85 per cent of a square.
	usualMargin = 0.088
	// mostSide and mostAspect bound what a frame may ask for at all; the operator's limits
	// come on top.
	mostSide, mostAspect = 1 << 20, 1000
)

// frame returns the options' frame, made at the first call. Its margin is that of crop,
// which is read before.
func (o *Options) frame() *Frame {
	if o.Layout == nil {
		o.Layout = &Layout{Frame: &Frame{Margin: usualMargin}}
		if o.Crop != nil {
			o.Layout.Frame.Margin = *o.Crop
		}
	}
	return o.Layout.Frame
}

// setAspect reads an aspect such as "4:5"; empty means none. Code: Invalid.
func (o *Options) setAspect(s string) error {
	if s == "" {
		return nil
	}
	aspect, ok := parseAspect(s)
	if !ok {
		return Errorf(Invalid, "aspect is a width and a height such as 1:1, 4:5 or 16:9, at most %d times one another", mostAspect)
	}
	o.frame().Aspect = aspect
	return nil
}

// setSize reads a size such as "2000x2000"; empty means none. Code: Invalid.
func (o *Options) setSize(s string) error {
	if s == "" {
		return nil
	}
	width, height, ok := parseSize(s)
	if !ok {
		return Errorf(Invalid, "size is a width and a height in pixels, such as 2000x2000")
	}
	f := o.frame()
	if f.Aspect > 0 {
		return Errorf(Invalid, "size already gives the aspect: leave one of them out")
	}
	f.Width, f.Height = width, height
	return nil
}

// setMargin reads a margin in per cent, 0 to 100; empty means the usual one, without a
// frame none. Code: Invalid.
func (o *Options) setMargin(s string) error {
	if s == "" {
		return nil
	}
	margin, err := parsePercent("margin", "the space around the subject", s)
	if err == nil {
		o.frame().Margin = margin
	}
	return err
}

func parseSize(s string) (width, height int, ok bool) {
	a, b, _ := strings.Cut(strings.ToLower(s), "x")
	width, errA := strconv.Atoi(a)
	height, errB := strconv.Atoi(b)
	return width, height, errA == nil && errB == nil && 0 < min(width, height) && max(width, height) <= mostSide
}

func parseAspect(s string) (aspect float64, ok bool) {
	a, b, _ := strings.Cut(s, ":")
	width, errA := strconv.ParseFloat(a, 64)
	height, errB := strconv.ParseFloat(b, 64)
	aspect = width / height
	return aspect, errA == nil && errB == nil && width > 0 && height > 0 && 1.0/mostAspect <= aspect && aspect <= mostAspect
}

// Canvas returns the canvas's size for a subject with so many pixels, cut off below or
// not, and the scale of the subject on it. Whatever the subject, no side is 0.
func (f *Frame) Canvas(width, height float64, cutOff bool) (w, h, scale float64) {
	grow := f.Margin * max(width, height)
	w, h = width+2*grow, height+2*grow
	if cutOff {
		h = height + grow
	}
	if f.Width > 0 {
		return float64(f.Width), float64(f.Height), min(float64(f.Width)/w, float64(f.Height)/h)
	}
	if f.Aspect > 0 {
		w, h = max(w, h*f.Aspect), max(h, w/f.Aspect)
	}
	return max(1, math.Round(w)), max(1, math.Round(h)), 1
}

// Check returns an error for a canvas beyond limits; 0 stands for none. Code:
// TooManyPixels.
func (f *Frame) Check(width, height float64, maxSide, maxPixels int) error {
	switch {
	case maxSide > 0 && max(width, height) > float64(maxSide):
	case maxPixels > 0 && width*height > float64(maxPixels):
	default:
		return nil
	}
	advice := "Choose a smaller margin, an aspect nearer to the subject's, or a size."
	if f.Width > 0 {
		advice = "Choose a smaller size."
	}
	return Errorf(TooManyPixels, "The frame would have %.0fx%.0f pixels; the limit is %d a side and %d in all. %s", width, height, maxSide, maxPixels, advice)
}
