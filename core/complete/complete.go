// Package complete lets a person's seeds decide what belongs to the subject where
// the model was wrong. A point is enough: the photo's own colours tell how far the
// part reaches that it lies on. Colours are modelled as in GrabCut (Rother,
// Kolmogorov and Blake 2004) on a small copy of the photo, and the cheapest border
// is found as a minimum cut.
//
// Without seeds nothing is changed: on ordinary photos colours alone made masks
// worse that mask.Join had joined (see mask.Join).
package complete

import (
	"context"
	"math"

	"bgremover.pro/core/cutout"
)

// side is the longer side of the small copy, in pixels; the work is the same for
// any photo.
const side = 320

// The cut's weights, chosen with a robot that clicks into the middle of the largest
// wrong region, on half of 143 ordinary photos.
const (
	// smoothness is the cost of a border between pixels of one colour; it falls
	// with the colours' distance.
	smoothness = 40
	// colourLimit bounds what one pixel's colour may say, so that no rare colour
	// outweighs all else, and maskLimit what the mask may say.
	colourLimit, maskLimit = 6, 3
	// reach is how far from a seed, as a share of the side, the mask counts little.
	reach = 0.25
	// unit is the cost that becomes one in the integers of the cut.
	unit = 1.0 / 1000
)

// Complete returns the mask as the seeds correct it; m itself where there are none.
// Each part that changes touches a seed that asks for it, and the seeds themselves
// are obeyed. Seeds may have any size; they are spread over the whole photo. The
// error is the context's.
func Complete(ctx context.Context, photo *cutout.Photo, m *cutout.Mask, seeds *cutout.Seeds) (*cutout.Mask, error) {
	if seeds.Empty() {
		return m, nil
	}
	s, err := reduce(ctx, photo, m, seeds)
	if err != nil {
		return nil, err
	}
	if err := s.cut(ctx); err != nil {
		return nil, err
	}
	s.keepTouched()
	return s.apply(ctx, m)
}

// small is the reduced copy of a photo with its mask and seeds, and what is decided
// about each of its pixels.
type small struct {
	width, height int
	pix           [][3]float64 // R, G, B, 0 to 255
	alpha         []float64    // the mask, 0 to 1
	seeds         []cutout.Seed
	near          []float64 // how much the mask counts, 0 at a seed to 1
	subject       []bool
}

// reduce averages photo and mask over what a pixel of the copy covers.
func reduce(ctx context.Context, photo *cutout.Photo, m *cutout.Mask, seeds *cutout.Seeds) (*small, error) {
	scale := min(1, float64(side)/float64(max(photo.Width, photo.Height)))
	s := &small{
		width:  max(1, int(math.Round(scale*float64(photo.Width)))),
		height: max(1, int(math.Round(scale*float64(photo.Height)))),
	}
	n := s.width * s.height
	s.pix, s.alpha, s.seeds = make([][3]float64, n), make([]float64, n), make([]cutout.Seed, n)
	s.subject = make([]bool, n)
	err := cutout.Strips(ctx, s.height, 4, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range s.width {
				i := y*s.width + x
				s.pix[i] = colourOf(photo, x, y, s.width, s.height)
				s.alpha[i] = levelOf(m, x, y, s.width, s.height)
				s.seeds[i] = seeds.Within(x, y, s.width, s.height)
			}
		}
	})
	s.near = s.distances()
	return s, err
}

// span is what sample i of n covers of m samples; at least one.
func span(i, n, m int) (from, to int) {
	from = i * m / n
	return from, max(from+1, (i+1)*m/n)
}

func colourOf(photo *cutout.Photo, x, y, width, height int) (mean [3]float64) {
	left, right := span(x, width, photo.Width)
	top, bottom := span(y, height, photo.Height)
	var sum [3]int
	for j := top; j < bottom; j++ {
		for p := photo.Pix[4*(j*photo.Width+left) : 4*(j*photo.Width+right)]; len(p) >= 4; p = p[4:] {
			sum[0] += int(p[0])
			sum[1] += int(p[1])
			sum[2] += int(p[2])
		}
	}
	n := float64((right - left) * (bottom - top))
	return [3]float64{float64(sum[0]) / n, float64(sum[1]) / n, float64(sum[2]) / n}
}

func levelOf(m *cutout.Mask, x, y, width, height int) float64 {
	left, right := span(x, width, m.Width)
	top, bottom := span(y, height, m.Height)
	sum := 0
	for j := top; j < bottom; j++ {
		for _, level := range m.Pix[j*m.Width+left : j*m.Width+right] {
			sum += int(level)
		}
	}
	return float64(sum) / float64(255*(right-left)*(bottom-top))
}
