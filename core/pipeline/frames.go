package pipeline

import (
	"context"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/cutout"
)

// Frames removes the background from pictures of one size, those of a video, for a
// program that has the pipeline to itself: they wait for no turn and reserve no
// memory. Its methods may run at the same time, each for another picture.
type Frames struct {
	p       *Pipeline
	options cutout.Options
	picture *cutout.Photo // to lay behind; nil for none
}

// Frames returns what works on pictures of the given size. Codes: Invalid for
// options that would change their size or belong to one picture; as Remove for the
// background picture.
func (p *Pipeline) Frames(ctx context.Context, options cutout.Options, width, height int) (*Frames, error) {
	settings := p.settings.Load()
	options = withDefaults(options, settings.Mode)
	if options.Crop != nil || len(options.Keep)+len(options.Remove)+len(options.Hints) > 0 || options.Layout != nil {
		return nil, cutout.Errorf(cutout.Invalid, "crop, aspect, size, margin, keep, remove, hints and box apply to photos, not to videos")
	}
	file, err := openBehind(ctx, behind(options), settings.Decode)
	if err != nil {
		return nil, err
	}
	picture, err := decodeBehind(ctx, file, &cutout.Photo{Width: width, Height: height}, nil)
	if err != nil {
		return nil, err
	}
	return &Frames{p, options, picture}, nil
}

// Find finds the subject in an opaque picture. Codes: as Remove.
func (f *Frames) Find(ctx context.Context, photo *cutout.Photo) (*cutout.Mask, error) {
	ctx, cancel := context.WithTimeout(ctx, f.p.settings.Load().Timeout)
	defer cancel()
	found, err := f.p.find(ctx, f.p.queue.runs.enter(""), photo, f.options, false)
	if err != nil {
		return nil, err
	}
	return found.mask, nil
}

// Matte makes the alpha of the size of the picture. Codes: as Remove.
func (f *Frames) Matte(ctx context.Context, photo *cutout.Photo, found *cutout.Mask) (*cutout.Mask, error) {
	return matte(ctx, photo, found, f.options.Edges)
}

// Dress makes the frame from a picture, in place, and its alpha: the cut-out with
// shadow and background or, if that was asked for, the alpha in grey.
func (f *Frames) Dress(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask) (*cutout.Photo, error) {
	if f.options.Output == cutout.Matte {
		return photo, compose.Grey(ctx, photo, alpha)
	}
	return dress(ctx, photo, alpha, f.picture, f.options)
}
