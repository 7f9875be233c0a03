package cutout

import (
	"math"
	"strconv"
	"strings"
)

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
	// mostSide and mostAspect bound what a frame may ask for at all; what it may have
	// is the operator's to say.
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
