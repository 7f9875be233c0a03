package pipeline

import (
	"image"
	"math"

	"bgremover.pro/core/cutout"
)

const (
	// seedSide is the longer side of the map that points are drawn into.
	seedSide = 640
	// seedRadius is how much around a point is meant, as a share of that side.
	seedRadius = 1.0 / 80
)

// seedsOf draws the points that a job keeps and removes, nil where it has none. Where
// both are asked for, removing wins. Points are places in the original; the map is of
// its part at. Code: Invalid for a point outside that.
func seedsOf(original image.Point, at image.Rectangle, options cutout.Options) (*cutout.Seeds, error) {
	if len(options.Keep)+len(options.Remove) == 0 {
		return nil, nil
	}
	width, height := float64(at.Dx()), float64(at.Dy())
	scale := min(1, seedSide/max(width, height))
	s := &cutout.Seeds{
		Width:  max(1, int(math.Round(scale*width))),
		Height: max(1, int(math.Round(scale*height))),
	}
	s.Pix = make([]cutout.Seed, s.Width*s.Height)
	for _, group := range []struct {
		name   string
		points []cutout.Point
		seed   cutout.Seed
	}{{"keep", options.Keep, cutout.Keep}, {"remove", options.Remove, cutout.Remove}} {
		for _, p := range group.points {
			x, y := p.X, p.Y
			if p.Percent {
				x, y = p.X/100*float64(original.X), p.Y/100*float64(original.Y)
			}
			u, v := (x-float64(at.Min.X))/width, (y-float64(at.Min.Y))/height
			if u < 0 || v < 0 || u > 1 || v > 1 {
				return nil, cutout.Errorf(cutout.Invalid, "%s: a point lies outside the photo, which is %dx%d pixels", group.name, at.Dx(), at.Dy())
			}
			dot(s, u, v, group.seed)
		}
	}
	return s, nil
}

// dot draws one point, at u, v of 1.
func dot(s *cutout.Seeds, u, v float64, seed cutout.Seed) {
	x, y := min(int(u*float64(s.Width)), s.Width-1), min(int(v*float64(s.Height)), s.Height-1)
	r := int(math.Round(seedRadius * float64(max(s.Width, s.Height))))
	for j := max(0, y-r); j <= min(s.Height-1, y+r); j++ {
		for i := max(0, x-r); i <= min(s.Width-1, x+r); i++ {
			if (i-x)*(i-x)+(j-y)*(j-y) <= r*r {
				s.Pix[j*s.Width+i] = seed
			}
		}
	}
}
