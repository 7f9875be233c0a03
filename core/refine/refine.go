// Package refine makes a scaled mask follow the photo's own edges.
//
// A model answers at about a thousand pixels a side, so its mask, scaled to the photo, is
// soft and slightly off the edge. Where it is undecided, the alpha is taken to be a linear
// function of colour within small windows, as in the guided image filter (He, Sun, Tang
// 2013), with three changes: certain pixels of the mask weigh most in each window; wide
// windows separate subject and background before small ones draw the edge; and where colour
// explains little of the mask, the mask is kept. Certain pixels of the mask never change.
//
// The windows' statistics are kept on a grid of about a thousand cells a side (the fast
// guided filter, He and Sun 2015), and only near the undecided band, so memory depends
// little on the photo's size; only the last step, which applies the fitted functions,
// visits the photo's pixels.
package refine

import (
	"context"

	"bgremover.pro/core/cutout"
)

// A pass fits alpha to colour in square windows and applies what it finds.
type pass struct {
	cell   int     // grid pixels a side that share one fit
	radius float64 // of a window, as a share of the photo's long side
	// epsilon is the variance of colour, per channel, below which a window counts
	// as flat.
	epsilon float32
	trust   trust
}

// passes run in order: all but the last improve the grid's alpha, the last
// draws the photo's: with a larger epsilon and less trust, since what it draws from
// noise and texture is seen, as a border that frays.
var passes = []pass{
	{cell: 2, radius: 0.003, epsilon: 3e-5, trust: trust{0.4, 0.8}}, // thin structures get thin
	{cell: 8, radius: 0.03, epsilon: 3e-5, trust: trust{0.4, 0.8}},  // subject and background are separated
	{cell: 4, radius: 0.0075, epsilon: 3e-5, trust: trust{0.4, 0.8}},
	{cell: 2, radius: 0.003, epsilon: 7e-5, trust: trust{0.7, 1}}, // the edge
}

// Refine returns the photo's alpha matte for a mask that has been scaled to the
// photo's size; a deep photo gets a deep matte. Pixels of which the mask is
// certain keep their level. The result is the same on any number of processors.
// It fails with cutout.Internal if the sizes differ, and with the context's
// error when that ends.
func Refine(ctx context.Context, photo *cutout.Photo, m *cutout.Mask) (*cutout.Mask, error) {
	if m.Width != photo.Width || m.Height != photo.Height {
		return nil, cutout.Errorf(cutout.Internal, "a mask of %dx%d does not fit a photo of %dx%d",
			m.Width, m.Height, photo.Width, photo.Height)
	}
	g, err := reduce(ctx, photo, m)
	if err != nil {
		return nil, err
	}
	last := len(passes) - 1
	for _, p := range passes[:last] {
		f, err := g.fit(ctx, p)
		if err != nil {
			return nil, err
		}
		if err := g.improve(ctx, f); err != nil {
			return nil, err
		}
	}
	f, err := g.fit(ctx, passes[last])
	if err != nil {
		return nil, err
	}
	return draw(ctx, f, photo, m)
}
