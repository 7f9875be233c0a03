package mask

import (
	"context"
	"math"

	"bgremover.pro/core/cutout"
)

// Parameters of Join, chosen on one half of 143 ordinary photos and checked on the
// other half and on true mattes.
const (
	// A certain mask has its border at one half. An uncertain one does not: ISNet
	// gives uncertain areas a tenth or less, and the background almost nothing.
	sure   = 0.1 // up to this uncertainty the border is at one half
	unsure = 0.3 // from this on, at lowest
	lowest = 0.05
	// sway is how far a certain mask's levels may move from the mean of the views
	// towards those of the largest, whose edges are the finest.
	sway = 0.15
)

// Join combines the masks of several views of a photo (different input sizes, or
// the photo mirrored), which it may change, and returns how uncertain the result
// is. Each view misses different parts, so their mean, weighted by size, is right
// more often than any one of them. The more uncertain it is, the more of its faint
// parts become solid; where it is certain, its levels are those of the largest view
// (the first of several) unless the others contradict.
// It expects at least one mask; the error is the context's.
func Join(ctx context.Context, views []*cutout.Mask) (joined *cutout.Mask, uncertainty float64, err error) {
	largest := views[0]
	for _, m := range views {
		if m.Width > largest.Width {
			largest = m
		}
	}
	joined, err = mean(ctx, views, largest.Width, largest.Height)
	if err != nil {
		return nil, 0, err
	}
	uncertainty = Uncertainty(joined)
	doubt := max(0, min(1, (uncertainty-sure)/(unsure-sure)))
	sharpen(joined, largest, int((1-doubt)*sway*255))
	lift(joined, math.Exp((1-doubt)*math.Log(0.5)+doubt*math.Log(lowest)))
	return joined, uncertainty, nil
}

// mean returns the mean of the masks, each weighted by its side.
func mean(ctx context.Context, views []*cutout.Mask, width, height int) (*cutout.Mask, error) {
	sums, total := make([]uint32, width*height), uint32(0)
	for _, m := range views {
		scaled, err := Scale(ctx, m, width, height)
		if err != nil {
			return nil, err
		}
		weight := uint32(m.Width)
		total += weight
		for i, level := range scaled.Pix {
			sums[i] += weight * uint32(level)
		}
	}
	out := &cutout.Mask{Width: width, Height: height, Pix: make([]uint8, len(sums))}
	for i, sum := range sums {
		out.Pix[i] = uint8((sum + total/2) / total)
	}
	return out, nil
}

// sharpen moves each level towards the finer mask's, by at most so many.
func sharpen(m, finer *cutout.Mask, most int) {
	for i, level := range m.Pix {
		from := int(level)
		m.Pix[i] = uint8(max(from-most, min(from+most, int(finer.Pix[i]))))
	}
}

// lift raises the levels so that border, 0 to 1/2, comes to one half.
func lift(m *cutout.Mask, border float64) {
	var lifted [256]uint8
	for level := range lifted {
		lifted[level] = uint8(min(255, float64(level)/(2*border)+0.5))
	}
	for i, level := range m.Pix {
		m.Pix[i] = lifted[level]
	}
}
