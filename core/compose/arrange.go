package compose

import (
	"image"
	"math"

	"bgremover.pro/core/cutout"
)

// Arrangement is a layout in pixels: the part of the photo that Source names is
// scaled to Target, in a result of Width x Height.
type Arrangement struct {
	Width, Height  int
	Source, Target image.Rectangle
	Placed         cutout.Placed
}

// Arrange works out a layout. The original is the frame as it was, at is where the
// photo lies in it and subject where its subject does, all in the same pixels; without
// a subject the original stays as it was.
//
// With s the subject's size and f the frame's, which is the original or, cropped, the
// subject and its margins, the subject is scaled by Scale * min(f.w/s.w, f.h/s.h), else
// not at all; it lies at Position times what f leaves free of the scaled subject, else
// its centre stays in place. Where f has more than MaxPixels, the whole is reduced by
// sqrt(MaxPixels / (f.w*f.h)), sides rounded down.
//
// With a Frame, its Canvas is the result; the subject lies in its middle or, where the
// original's lower border cuts it off, in the middle of its lower border. Without a
// subject the whole original is taken for it.
func Arrange(original image.Point, at, subject image.Rectangle, l *cutout.Layout) Arrangement {
	frame := image.Rectangle{Max: original}
	if l.Frame != nil {
		return framed(original, at, subject, l.Frame)
	}
	if subject.Empty() {
		subject, l = frame, &cutout.Layout{MaxPixels: l.MaxPixels}
	}
	if l.Crop {
		frame = margined(subject, l.Margins)
	}
	w, h := float64(frame.Dx()), float64(frame.Dy())
	sw, sh := float64(subject.Dx()), float64(subject.Dy())
	scale := 1.0
	if l.Scale > 0 {
		scale = l.Scale * min(w/sw, h/sh)
	}
	left := float64(subject.Min.X-frame.Min.X) + sw*(1-scale)/2
	top := float64(subject.Min.Y-frame.Min.Y) + sh*(1-scale)/2
	if l.Position != nil {
		left, top = l.Position[0]*(w-scale*sw), l.Position[1]*(h-scale*sh)
	}
	a := Arrangement{Placed: cutout.Placed{FullWidth: frame.Dx(), FullHeight: frame.Dy()}}
	a.Width, a.Height = limited(frame.Dx(), frame.Dy(), l.MaxPixels)
	a.put(at, subject,
		axis{at: left * float64(a.Width) / w, scale: scale * float64(a.Width) / w, zero: subject.Min.X},
		axis{at: top * float64(a.Height) / h, scale: scale * float64(a.Height) / h, zero: subject.Min.Y})
	return a
}

// framed is Arrange for a frame.
func framed(original image.Point, at, subject image.Rectangle, f *cutout.Frame) Arrangement {
	if subject.Empty() {
		whole := *f
		whole.Margin = 0
		subject, f = image.Rectangle{Max: original}, &whole
	}
	sw, sh := float64(subject.Dx()), float64(subject.Dy())
	cutOff := subject.Max.Y == original.Y
	w, h, scale := f.Canvas(sw, sh, cutOff)
	a := Arrangement{Width: int(w), Height: int(h), Placed: cutout.Placed{FullWidth: int(w), FullHeight: int(h)}}
	left, top := (w-scale*sw)/2, (h-scale*sh)/2
	if cutOff {
		top = h - scale*sh
	}
	if scale == 1 {
		left, top = math.Floor(left), math.Floor(top) // pixels stay as they are
	}
	a.put(at, subject, axis{left, scale, subject.Min.X}, axis{top, scale, subject.Min.Y})
	return a
}

// put says where the photo, which lies at at, and its subject come.
func (a *Arrangement) put(at, subject image.Rectangle, x, y axis) {
	a.Source.Min.X, a.Source.Max.X, a.Target.Min.X, a.Target.Max.X = x.visible(at.Min.X, at.Max.X, a.Width)
	a.Source.Min.Y, a.Source.Max.Y, a.Target.Min.Y, a.Target.Max.Y = y.visible(at.Min.Y, at.Max.Y, a.Height)
	a.Placed.Subject = image.Rect(x.round(subject.Min.X), y.round(subject.Min.Y), x.round(subject.Max.X), y.round(subject.Max.Y)).
		Intersect(image.Rect(0, 0, a.Width, a.Height))
}

// margined adds margins above, right, below and left.
func margined(subject image.Rectangle, margins [4]cutout.Length) image.Rectangle {
	grow := func(i, whole int) int { return int(math.Round(margins[i].Of(whole))) }
	return image.Rect(
		subject.Min.X-grow(3, subject.Dx()), subject.Min.Y-grow(0, subject.Dy()),
		subject.Max.X+grow(1, subject.Dx()), subject.Max.Y+grow(2, subject.Dy()),
	)
}

func limited(width, height, most int) (int, int) {
	if most <= 0 || width*height <= most {
		return width, height
	}
	g := math.Sqrt(float64(most) / float64(width) / float64(height))
	w, h := max(1, int(g*float64(width))), max(1, int(g*float64(height)))
	return min(w, max(1, most/h)), min(h, most)
}

// axis maps places along one axis: zero lies at at.
type axis struct {
	at, scale float64
	zero      int
}

func (a axis) of(v int) float64 { return a.at + a.scale*float64(v-a.zero) }
func (a axis) round(v int) int  { return int(math.Round(a.of(v))) }

// visible returns the part of from to to that shows in 0 to size, counted from from,
// and where it lies.
func (a axis) visible(from, to, size int) (first, last, start, end int) {
	back := func(v float64) float64 { return (v-a.at)/a.scale + float64(a.zero) }
	lo := max(float64(from), math.Floor(back(0)))
	hi := min(float64(to), math.Ceil(back(float64(size))))
	if lo >= hi {
		return 0, 0, 0, 0
	}
	first, last = int(lo), int(hi)
	start = a.round(first)
	end = max(start+1, a.round(last))
	return first - from, last - from, start, end
}
