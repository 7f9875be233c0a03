package correct

import (
	"context"

	"bgremover.pro/core/complete"
	"bgremover.pro/core/cutout"
)

// previewSide is the longer side of what a session answers each stroke with.
const previewSide = 1024

// Session corrects one photo stroke by stroke. What every stroke needs is kept: a
// small copy of the photo, its colours, and the matte after the strokes before. It is
// for one goroutine.
type Session struct {
	photo   *cutout.Photo
	alpha   *cutout.Mask
	preview *cutout.Photo
	small   *complete.Copy
	steps   []step // the first is the matte as it was
}

// step is a run of strokes of one kind, and the preview's matte after them.
type step struct {
	strokes []Stroke
	change  *complete.Change // of seeds
	levels  *cutout.Mask     // what seeds of the next step are decided on
	alpha   *cutout.Mask
}

// Open starts a session on a photo and its matte, which it keeps and does not change.
func Open(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask) (*Session, error) {
	if alpha.Width != photo.Width || alpha.Height != photo.Height {
		return nil, cutout.Errorf(cutout.Internal, "a matte of %dx%d does not fit a photo of %dx%d", alpha.Width, alpha.Height, photo.Width, photo.Height)
	}
	s := &Session{photo: photo, alpha: alpha}
	var err error
	if s.small, err = complete.Reduce(ctx, photo); err != nil {
		return nil, err
	}
	first := step{levels: s.small.Levels(alpha)}
	if s.preview, first.alpha, err = reduce(ctx, photo, alpha); err != nil {
		return nil, err
	}
	s.steps = []step{first}
	return s, nil
}

// Preview returns the matte after the strokes, at the size of the preview. It belongs to
// the session and must not be changed.
func (s *Session) Preview(ctx context.Context, strokes []Stroke) (*cutout.Mask, error) {
	groups := runs(strokes)
	known := 0
	for known < len(groups) && known+1 < len(s.steps) && same(groups[known], s.steps[known+1].strokes) {
		known++
	}
	s.steps = s.steps[:known+1]
	for _, group := range groups[known:] {
		next, err := s.after(ctx, s.steps[len(s.steps)-1], group)
		if err != nil {
			return nil, err
		}
		s.steps = append(s.steps, next)
	}
	return s.steps[len(s.steps)-1].alpha, nil
}

// after makes the step that follows from another.
func (s *Session) after(ctx context.Context, last step, strokes []Stroke) (step, error) {
	next := step{strokes: strokes}
	var err error
	if strokes[0].Literal {
		next.alpha = painted(last.alpha, strokes)
	} else {
		seeds := Seeds(s.photo.Width, s.photo.Height, strokes)
		if next.change, err = s.small.Decide(ctx, last.levels, seeds); err != nil {
			return next, err
		}
		if next.alpha, err = draw(ctx, s.preview, last.alpha, next.change, cutout.Refined); err != nil {
			return next, err
		}
	}
	next.levels = s.small.Levels(next.alpha)
	return next, nil
}

// Finish returns the photo's matte after the strokes, at full size.
func (s *Session) Finish(ctx context.Context, strokes []Stroke) (*cutout.Mask, error) {
	if _, err := s.Preview(ctx, strokes); err != nil {
		return nil, err
	}
	alpha := s.alpha
	for _, step := range s.steps[1:] {
		if step.change == nil {
			alpha = painted(alpha, step.strokes)
			continue
		}
		var err error
		if alpha, err = draw(ctx, s.photo, alpha, step.change, cutout.Refined); err != nil {
			return nil, err
		}
	}
	return alpha, nil
}

// Photo returns the session's photo.
func (s *Session) Photo() *cutout.Photo { return s.photo }

// Small returns the photo at the size of the preview.
func (s *Session) Small() *cutout.Photo { return s.preview }

func painted(alpha *cutout.Mask, strokes []Stroke) *cutout.Mask {
	out := &cutout.Mask{Width: alpha.Width, Height: alpha.Height, Pix: append([]uint8(nil), alpha.Pix...)}
	for _, stroke := range strokes {
		stroke.paint(out)
	}
	return out
}

// runs splits strokes where their kind changes.
func runs(strokes []Stroke) (all [][]Stroke) {
	for i, stroke := range strokes {
		if i == 0 || stroke.Literal != strokes[i-1].Literal {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], stroke)
	}
	return all
}

func same(a, b []Stroke) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Keep != b[i].Keep || len(a[i].Points) != len(b[i].Points) {
			return false
		}
		for k, p := range a[i].Points {
			if p != b[i].Points[k] {
				return false
			}
		}
	}
	return true
}

// reduce averages photo and matte to the preview's size.
func reduce(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask) (*cutout.Photo, *cutout.Mask, error) {
	block := (max(photo.Width, photo.Height) + previewSide - 1) / previewSide
	if block == 1 {
		return photo, alpha, nil
	}
	w, h := (photo.Width+block-1)/block, (photo.Height+block-1)/block
	small := &cutout.Photo{Width: w, Height: h, Opaque: photo.Opaque, Pix: make([]uint8, 4*w*h)}
	levels := &cutout.Mask{Width: w, Height: h, Pix: make([]uint8, w*h)}
	err := cutout.Rows(ctx, h, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range w {
				average(photo, alpha, block, x, y, small.Pix[4*(y*w+x):], &levels.Pix[y*w+x])
			}
		}
	})
	return small, levels, err
}

func average(photo *cutout.Photo, alpha *cutout.Mask, block, x, y int, pix []uint8, level *uint8) {
	left, right := x*block, min((x+1)*block, photo.Width)
	top, bottom := y*block, min((y+1)*block, photo.Height)
	var sum [5]int
	for j := top; j < bottom; j++ {
		row := j * photo.Width
		for p := photo.Pix[4*(row+left) : 4*(row+right)]; len(p) >= 4; p = p[4:] {
			sum[0] += int(p[0])
			sum[1] += int(p[1])
			sum[2] += int(p[2])
			sum[3] += int(p[3])
		}
		for _, v := range alpha.Pix[row+left : row+right] {
			sum[4] += int(v)
		}
	}
	n := (right - left) * (bottom - top)
	for k := range 4 {
		pix[k] = uint8((sum[k] + n/2) / n)
	}
	*level = uint8((sum[4] + n/2) / n)
}
