package bench

import (
	"context"
	"image"

	"bgremover.pro/core/complete"
	"bgremover.pro/core/correct"
	"bgremover.pro/core/cutout"
)

// robot is one photo being corrected.
type robot struct {
	photo         *cutout.Photo
	first         *cutout.Mask
	width, height int
	truth, now    []bool
	strokes       []correct.Stroke
}

// answer makes the matte after the last of the robot's strokes.
type answer func(ctx context.Context) error

func newRobot(s *subject, first *cutout.Mask) *robot {
	scale := min(1, workSide/float64(max(s.truth.width, s.truth.height)))
	r := &robot{photo: s.photo, first: first}
	r.width, r.height = max(1, int(scale*float64(s.truth.width))), max(1, int(scale*float64(s.truth.height)))
	r.truth = solid(scaleGrey(s.truth.grey(), s.truth.width, s.truth.height, r.width, r.height))
	r.now = r.sides(first)
	return r
}

// sides says which pixels are subject in a matte, at the robot's size.
func (r *robot) sides(m *cutout.Mask) []bool {
	return solid(scaleGrey(m.Pix, m.Width, m.Height, r.width, r.height))
}

func solid(levels []uint8) []bool {
	sides := make([]bool, len(levels))
	for i, level := range levels {
		sides[i] = level > 127
	}
	return sides
}

// completion answers as server and page do, except for the edges.
func completion(r *robot) (answer, error) {
	small, err := complete.Reduce(context.Background(), r.photo)
	if err != nil {
		return nil, err
	}
	levels := small.Levels(r.first)
	return func(ctx context.Context) error {
		change, err := small.Decide(ctx, levels, correct.Seeds(r.photo.Width, r.photo.Height, r.strokes))
		if err != nil {
			return err
		}
		m, err := change.Apply(ctx, r.first)
		if err == nil {
			r.now = r.sides(m)
		}
		return err
	}, nil
}

// painting changes what lies under the dots that is wrong, as a careful hand does.
func painting(r *robot) (answer, error) {
	return func(context.Context) error {
		last := r.strokes[len(r.strokes)-1]
		radius := dotRadius * float32(max(r.width, r.height))
		x, y := last.Points[0].X*float32(max(r.width, r.height)), last.Points[0].Y*float32(max(r.width, r.height))
		for i, side := range r.truth {
			dx, dy := float32(i%r.width)+0.5-x, float32(i/r.width)+0.5-y
			if dx*dx+dy*dy <= radius*radius && side == last.Keep {
				r.now[i] = side
			}
		}
		return nil
	}, nil
}

// run clicks until the matte is good, at most so many times.
func (r *robot) run(ctx context.Context, most int, answer answer) (to85, to90 int, iou float64, err error) {
	to85, to90 = most, most
	for n := 0; ; n++ {
		iou = r.iou()
		if iou >= 0.85 {
			to85 = min(to85, n)
		}
		if iou >= 0.9 {
			return to85, n, iou, nil
		}
		if n == most {
			return to85, to90, iou, nil
		}
		at := r.middle()
		long := float32(max(r.width, r.height))
		r.strokes = append(r.strokes, correct.Stroke{
			Keep:   r.truth[at.Y*r.width+at.X],
			Points: []correct.Point{{X: (float32(at.X) + 0.5) / long, Y: (float32(at.Y) + 0.5) / long, Radius: dotRadius}},
		})
		if err := answer(ctx); err != nil {
			return 0, 0, 0, err
		}
	}
}

func (r *robot) iou() float64 {
	both, either := 0, 0
	for i, side := range r.truth {
		if side && r.now[i] {
			both++
		}
		if side || r.now[i] {
			either++
		}
	}
	return float64(both) / float64(max(1, either))
}

// middle returns the place that is deepest inside the largest region that is wrong.
func (r *robot) middle() image.Point {
	depth := make([]int, len(r.truth))
	for _, i := range r.largest() {
		depth[i] = 1 << 20
	}
	at := func(x, y int) int {
		if x < 0 || y < 0 || x >= r.width || y >= r.height {
			return 0
		}
		return depth[y*r.width+x]
	}
	for i := range depth {
		x, y := i%r.width, i/r.width
		depth[i] = min(depth[i], 1+min(at(x-1, y), at(x, y-1), at(x-1, y-1), at(x+1, y-1)))
	}
	deepest := 0
	for i := len(depth) - 1; i >= 0; i-- {
		x, y := i%r.width, i/r.width
		depth[i] = min(depth[i], 1+min(at(x+1, y), at(x, y+1), at(x+1, y+1), at(x-1, y+1)))
		if depth[i] > depth[deepest] {
			deepest = i
		}
	}
	return image.Pt(deepest%r.width, deepest/r.width)
}

// largest returns the pixels of the largest connected region that is wrong in one way.
func (r *robot) largest() (largest []int) {
	seen := make([]bool, len(r.truth))
	for i := range r.truth {
		if seen[i] || r.now[i] == r.truth[i] {
			continue
		}
		region := []int{i}
		seen[i] = true
		for k := 0; k < len(region); k++ {
			x, y := region[k]%r.width, region[k]/r.width
			for _, by := range [4]image.Point{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}} {
				u, v := x+by.X, y+by.Y
				j := v*r.width + u
				if u >= 0 && u < r.width && v >= 0 && v < r.height && !seen[j] && r.now[j] != r.truth[j] && r.now[j] == r.now[i] {
					seen[j] = true
					region = append(region, j)
				}
			}
		}
		if len(region) > len(largest) {
			largest = region
		}
	}
	return largest
}
