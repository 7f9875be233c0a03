package pipeline

import (
	"context"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/mask"
	"bgremover.pro/core/tensor"
)

// Thresholds of uncertainty (mask.Uncertainty), chosen like those of mask.Join.
const (
	// Below certain, the mode auto accepts the mask of the smallest size.
	certain = 0.03
	// From doubtful on, the mode best also runs on the mirrored photo.
	doubtful = 0.08
	// From hesitant on, a person should check the result: of 143 ordinary photos, those
	// above had a mean IoU of 0.57, those below 0.81.
	hesitant = 0.3
)

// view is one version of a photo as input to the model.
type view struct {
	size     int
	mirrored bool
}

// finding is what the model says about a photo.
type finding struct {
	mask    *cutout.Mask
	subject cutout.Subject
	run     cutout.Run
}

// find runs the model. Without a subject the mask is empty, unless it is wanted anyway;
// where a person marks one, there may be one.
func (p *Pipeline) find(ctx context.Context, runs *member, photo *cutout.Photo, options cutout.Options, marked bool) (*finding, error) {
	found, err := p.infer(ctx, runs, photo, options)
	if err == nil && found.subject == cutout.SubjectNone {
		if !options.Anyway {
			clear(found.mask.Pix)
		}
		if marked {
			found.subject = cutout.SubjectUnsure
		}
	}
	return found, err
}

// infer runs the model on the views that the mode calls for, on one lease, and joins
// their masks.
func (p *Pipeline) infer(ctx context.Context, runs *member, photo *cutout.Photo, options cutout.Options) (*finding, error) {
	lease, err := p.backend.Acquire(ctx, options.Backend, options.Model)
	if err != nil {
		return nil, err
	}
	defer lease.Release()
	defer runs.leave()

	var (
		masks  []*cutout.Mask
		joined *cutout.Mask
		total  cutout.Run
		sizes  []int
		doubt  float64
		shows  bool
	)
	for _, views := range rounds(lease.Sizes(), options.Mode) {
		for _, v := range views {
			m, run, err := look(ctx, lease, runs, photo, v)
			if err != nil {
				return nil, err
			}
			masks, sizes = append(masks, m), append(sizes, v.size)
			shows = shows || mask.Shows(m)
			run.Inference += total.Inference
			total = run
		}
		if joined, doubt, err = mask.Join(ctx, masks); err != nil {
			return nil, err
		}
		if doubt < certain || len(masks) > 1 && (doubt < doubtful || shows && options.Mode == cutout.Auto) {
			break
		}
	}
	total.Mode, total.Sizes = options.Mode, sizes
	subject := cutout.SubjectFound
	switch {
	case !shows:
		subject = cutout.SubjectNone
	case doubt >= hesitant:
		subject = cutout.SubjectUnsure
	}
	return &finding{joined, subject, total}, nil
}

// look runs the model on one view.
func look(ctx context.Context, lease cutout.Lease, runs *member, photo *cutout.Photo, v view) (*cutout.Mask, cutout.Run, error) {
	input, err := tensor.FromPhoto(ctx, photo, v.size, v.mirrored)
	if err != nil {
		return nil, cutout.Run{}, err
	}
	if err := runs.next(ctx); err != nil {
		return nil, cutout.Run{}, err
	}
	m, run, err := lease.Segment(ctx, input)
	if err == nil && v.mirrored {
		mask.Mirror(m)
	}
	return m, run, err
}

// rounds lists the views to show, in rounds: another round follows only where the
// masks so far are in doubt, and auto's last one only where they show nothing. Of the
// mirrored views the largest adds the most; the others added nothing to it.
func rounds(sizes []int, mode cutout.Mode) [][]view {
	var plain []view
	for _, size := range sizes {
		plain = append(plain, view{size, false})
	}
	mirrored := []view{{sizes[len(sizes)-1], true}}
	switch {
	case mode == cutout.Fast || mode == cutout.Auto && len(sizes) == 1:
		return [][]view{plain[:1]}
	case mode == cutout.Auto:
		return [][]view{plain[:1], plain[1:], mirrored}
	}
	return [][]view{plain, mirrored}
}
