package correct

import (
	"image"
	"math"

	"bgremover.pro/core/cutout"
)

// Stroke is one line drawn over a photo.
type Stroke struct {
	// Keep says that it belongs to the subject, else that it does not.
	Keep bool
	// Literal strokes change what they cover and nothing else; others are seeds.
	Literal bool
	Points  []Point
}

// Point is a place of a stroke and the brush's radius there, in shares of the photo's
// longer side.
type Point struct{ X, Y, Radius float32 }

// seedSide is the longer side of the map that strokes are drawn into as seeds.
const seedSide = 640

// Seeds draws strokes over a photo of so many pixels; the later one wins.
func Seeds(width, height int, strokes []Stroke) *cutout.Seeds {
	scale := min(1, seedSide/float64(max(width, height)))
	s := &cutout.Seeds{
		Width:  max(1, int(math.Round(scale*float64(width)))),
		Height: max(1, int(math.Round(scale*float64(height)))),
	}
	s.Pix = make([]cutout.Seed, s.Width*s.Height)
	for _, stroke := range strokes {
		seed := cutout.Remove
		if stroke.Keep {
			seed = cutout.Keep
		}
		stroke.cover(s.Width, s.Height, func(x, y int, share float32) {
			if share >= 0.5 {
				s.Pix[y*s.Width+x] = seed
			}
		})
	}
	return s
}

// paint draws a literal stroke into a matte, in place.
func (s Stroke) paint(alpha *cutout.Mask) {
	box := s.bounds(alpha.Width, alpha.Height)
	// A pixel that several of the line's pieces cover gets the largest share of them.
	shares := make([]float32, box.Dx()*box.Dy())
	s.cover(alpha.Width, alpha.Height, func(x, y int, share float32) {
		i := (y-box.Min.Y)*box.Dx() + x - box.Min.X
		shares[i] = max(shares[i], share)
	})
	target := float32(0)
	if s.Keep {
		target = 255
	}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		levels := alpha.Pix[y*alpha.Width+box.Min.X : y*alpha.Width+box.Max.X]
		for x, share := range shares[(y-box.Min.Y)*box.Dx():][:box.Dx()] {
			levels[x] = uint8(float32(levels[x])*(1-share) + target*share + 0.5)
		}
	}
}

// bounds returns what the stroke covers at most.
func (s Stroke) bounds(width, height int) (all image.Rectangle) {
	for k := range s.Points {
		_, _, box := s.piece(k, width, height)
		all = all.Union(box)
	}
	return all
}

// dot is a point of a stroke in pixels.
type dot struct{ x, y, radius float32 }

// piece returns the ends of the stroke's part that leads to a point, and the pixels
// that it may cover.
func (s Stroke) piece(k, width, height int) (a, b dot, box image.Rectangle) {
	long := float32(max(width, height))
	at := func(p Point) dot {
		return dot{p.X * long, p.Y * long, max(0.5, p.Radius*long)} // less than a pixel still draws
	}
	a, b = at(s.Points[max(0, k-1)]), at(s.Points[k])
	return a, b, image.Rect(
		clip(min(a.x-a.radius, b.x-b.radius)-1, width), clip(min(a.y-a.radius, b.y-b.radius)-1, height),
		clip(max(a.x+a.radius, b.x+b.radius)+2, width), clip(max(a.y+a.radius, b.y+b.radius)+2, height))
}

// cover calls do for the pixels that the stroke covers, on a grid over the photo, with
// how much of each it covers; for a pixel under several of its pieces more than once.
func (s Stroke) cover(width, height int, do func(x, y int, share float32)) {
	for k := range s.Points {
		a, b, box := s.piece(k, width, height)
		dx, dy := b.x-a.x, b.y-a.y
		length := dx*dx + dy*dy
		for y := box.Min.Y; y < box.Max.Y; y++ {
			for x := box.Min.X; x < box.Max.X; x++ {
				px, py := float32(x)+0.5-a.x, float32(y)+0.5-a.y
				t := float32(0)
				if length > 0 {
					t = max(0, min(1, (px*dx+py*dy)/length))
				}
				px, py = px-t*dx, py-t*dy
				distance := float32(math.Sqrt(float64(px*px + py*py)))
				if share := min(1, a.radius+t*(b.radius-a.radius)-distance+0.5); share > 0 {
					do(x, y, share)
				}
			}
		}
	}
}

// clip rounds a coordinate down to a pixel from 0 to n; what is not a number counts as 0.
func clip(v float32, n int) int {
	if !(v > 0) {
		return 0
	}
	return int(min(v, float32(n)))
}
