// Package correct applies what a person says about a cut-out to its alpha matte:
// seeds are completed to the parts that they lie on, and the edge of what changed is
// refined again; strokes that are meant literally are painted. Whatever they do not
// touch stays as it was. The server and the page run the same code, so that the same
// seeds give the same matte.
package correct

import (
	"context"

	"bgremover.pro/core/complete"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/refine"
)

// Alpha returns a photo's matte as the seeds correct it; alpha itself where there are
// none. The error is the context's.
func Alpha(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask, seeds *cutout.Seeds, edges cutout.Edges) (*cutout.Mask, error) {
	if seeds.Empty() {
		return alpha, nil
	}
	small, err := complete.Reduce(ctx, photo)
	if err != nil {
		return nil, err
	}
	change, err := small.Decide(ctx, alpha, seeds)
	if err != nil {
		return nil, err
	}
	return draw(ctx, photo, alpha, change, edges)
}

// draw makes the change and, unless edges stay raw, refines what lies near it.
func draw(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask, change *complete.Change, edges cutout.Edges) (*cutout.Mask, error) {
	changed, err := change.Apply(ctx, alpha)
	if err != nil || edges == cutout.Raw {
		return changed, err
	}
	change.Settle(changed)
	refined, err := refine.Refine(ctx, photo, changed)
	if err != nil {
		return nil, err
	}
	return change.Blend(ctx, alpha, refined)
}
