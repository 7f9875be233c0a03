package pipeline

import (
	"context"
	"image"

	"bgremover.pro/core/correct"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
)

const (
	// hintSide is the longer side of the map that hints are reduced to.
	hintSide = 640
	// clearly is by how many levels a hint's channel exceeds the others.
	clearly = 64
	// dotRadius is the radius of a point, as a share of the longer side.
	dotRadius = 1.0 / 80
)

// seedsOf collects a job's hints: the picture, over it the points to keep, over these the
// points to remove; nil if there are none. Hints and points refer to the original, the
// seeds to its part at. Code: Invalid for a point outside that, and for hints of another
// shape than the original's.
func seedsOf(ctx context.Context, original image.Point, at image.Rectangle, hints *decode.Upload, options cutout.Options) (*cutout.Seeds, error) {
	if hints == nil && len(options.Keep)+len(options.Remove) == 0 {
		return nil, nil
	}
	var strokes []correct.Stroke
	for _, group := range []struct {
		name   string
		points []cutout.Point
		keep   bool
	}{{"keep", options.Keep, true}, {"remove", options.Remove, false}} {
		for _, p := range group.points {
			stroke, inside := dot(p, original, at, group.keep)
			if !inside {
				return nil, cutout.Errorf(cutout.Invalid, "%s: a point lies outside the photo, which is %dx%d pixels", group.name, at.Dx(), at.Dy())
			}
			strokes = append(strokes, stroke)
		}
	}
	drawn := correct.Seeds(at.Dx(), at.Dy(), strokes)
	if hints == nil {
		return drawn, nil
	}
	picture, err := hints.Decode(ctx)
	if err != nil {
		return nil, aboutHints(err)
	}
	size := image.Pt(picture.Width, picture.Height)
	if !alike(size, original) {
		return nil, cutout.Errorf(cutout.Invalid, "The hints are %dx%d pixels, and the photo is %dx%d: both need the same proportions.", size.X, size.Y, original.X, original.Y)
	}
	said := readHints(picture, scaled(at, original, size))
	for i := range drawn.Pix {
		if drawn.Pix[i] == cutout.Undecided {
			drawn.Pix[i] = said.Within(i%drawn.Width, i/drawn.Width, drawn.Width, drawn.Height)
		}
	}
	return drawn, nil
}

// dot makes a stroke of one point, and reports whether it lies in the part.
func dot(p cutout.Point, original image.Point, at image.Rectangle, keep bool) (s correct.Stroke, inside bool) {
	x, y := p.X, p.Y
	if p.Percent {
		x, y = p.X/100*float64(original.X), p.Y/100*float64(original.Y)
	}
	x, y = x-float64(at.Min.X), y-float64(at.Min.Y)
	inside = x >= 0 && y >= 0 && x <= float64(at.Dx()) && y <= float64(at.Dy())
	long := float64(max(at.Dx(), at.Dy()))
	return correct.Stroke{Keep: keep, Points: []correct.Point{{X: float32(x / long), Y: float32(y / long), Radius: dotRadius}}}, inside
}

// openHints reads the header of the hints' picture; nil for none.
func openHints(ctx context.Context, options cutout.Options, limits decode.Limits) (*decode.Upload, error) {
	if len(options.Hints) == 0 {
		return nil, nil
	}
	upload, err := decode.Open(ctx, options.Hints, limits, false)
	return upload, aboutHints(err)
}

// aboutHints marks an error as being about the hints.
func aboutHints(err error) error {
	if err == nil {
		return nil
	}
	return cutout.Wrap(cutout.CodeOf(err), err, "The picture of hints cannot be used. "+cutout.MessageOf(err))
}

// alike reports whether two pictures have the same proportions, within a pixel.
func alike(a, b image.Point) bool {
	difference := a.X*b.Y - b.X*a.Y
	return max(difference, -difference) <= max(a.X, a.Y, b.X, b.Y)
}

// scaled maps a part of one picture to another one with the same proportions.
func scaled(at image.Rectangle, from, to image.Point) image.Rectangle {
	r := image.Rect(at.Min.X*to.X/from.X, at.Min.Y*to.Y/from.Y, at.Max.X*to.X/from.X, at.Max.Y*to.Y/from.Y)
	r.Max.X, r.Max.Y = max(r.Max.X, r.Min.X+1), max(r.Max.Y, r.Min.Y+1)
	return r.Intersect(image.Rectangle{Max: to})
}

// readHints reduces a part of a picture of hints. A cell of the map takes the majority of
// the pixels in it that are marked, so that a line of one pixel counts.
func readHints(p *cutout.Photo, part image.Rectangle) *cutout.Seeds {
	scale := min(1, hintSide/float64(max(part.Dx(), part.Dy())))
	s := &cutout.Seeds{Width: max(1, int(scale*float64(part.Dx()))), Height: max(1, int(scale*float64(part.Dy())))}
	said := make([]int32, s.Width*s.Height) // for the subject less against it
	spoke := make([]bool, len(said))
	for y := range part.Dy() {
		row := y * s.Height / part.Dy() * s.Width
		for x := range part.Dx() {
			c := p.Pix[4*((part.Min.Y+y)*p.Width+part.Min.X+x):]
			red, green, blue := int(c[0]), int(c[1]), int(c[2])
			cell := row + x*s.Width/part.Dx()
			switch {
			case c[3] < 128:
			case green-max(red, blue) >= clearly:
				said[cell]++
				spoke[cell] = true
			case red-max(green, blue) >= clearly:
				said[cell]--
				spoke[cell] = true
			}
		}
	}
	s.Pix = make([]cutout.Seed, len(said))
	for i, n := range said {
		switch {
		case spoke[i] && n >= 0:
			s.Pix[i] = cutout.Keep
		case spoke[i]:
			s.Pix[i] = cutout.Remove
		}
	}
	return s
}
