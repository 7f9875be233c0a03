package pipeline

import (
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
// both are asked for, removing wins. Code: Invalid for a point outside the photo.
func seedsOf(photo *cutout.Photo, options cutout.Options) (*cutout.Seeds, error) {
	if len(options.Keep)+len(options.Remove) == 0 {
		return nil, nil
	}
	scale := min(1, seedSide/float64(max(photo.Width, photo.Height)))
	s := &cutout.Seeds{
		Width:  max(1, int(math.Round(scale*float64(photo.Width)))),
		Height: max(1, int(math.Round(scale*float64(photo.Height)))),
	}
	s.Pix = make([]cutout.Seed, s.Width*s.Height)
	for _, group := range []struct {
		name   string
		points []cutout.Point
		seed   cutout.Seed
	}{{"keep", options.Keep, cutout.Keep}, {"remove", options.Remove, cutout.Remove}} {
		for _, p := range group.points {
			u, v := p.X/float64(photo.Width), p.Y/float64(photo.Height)
			if p.Percent {
				u, v = p.X/100, p.Y/100
			}
			if u > 1 || v > 1 {
				return nil, cutout.Errorf(cutout.Invalid, "%s: a point lies outside the photo, which is %dx%d pixels", group.name, photo.Width, photo.Height)
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
