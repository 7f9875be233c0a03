package complete

import (
	"context"
	"math"

	"bgremover.pro/core/cutout"
)

// cut decides for each pixel whether it is subject.
func (s *small) cut(ctx context.Context) error {
	subject, background := s.models()
	g := newGrid(s.width, s.height)
	s.join(g)
	for i, c := range s.pix {
		g.terminal[g.node(i%s.width, i/s.width)] = s.preference(i, c, subject, background)
	}
	if err := g.cut(ctx); err != nil {
		return err
	}
	for i := range s.subject {
		s.subject[i] = g.subject(i%s.width, i/s.width)
	}
	return nil
}

// models fits the colours of both sides: those of the mask, the less the nearer and
// the more alike they are to a seed that says otherwise, and, as heavy as all of them
// together, those under the seeds.
func (s *small) models() (subject, background *colours) {
	weights := [2][]float64{make([]float64, len(s.pix)), make([]float64, len(s.pix))}
	var total, seeds [2]float64
	kept, removed := s.under(cutout.Keep), s.under(cutout.Remove)
	for i, a := range s.alpha {
		weights[0][i], weights[1][i] = a*a*s.near[i], (1-a)*(1-a)*s.near[i]
		if s.near[i] < 1 {
			weights[0][i] *= 1 - removed.likeness(s.pix[i])
			weights[1][i] *= 1 - kept.likeness(s.pix[i])
		}
		total[0] += weights[0][i]
		total[1] += weights[1][i]
		switch s.seeds[i] {
		case cutout.Keep:
			seeds[0]++
		case cutout.Remove:
			seeds[1]++
		}
	}
	for i, seed := range s.seeds {
		switch seed {
		case cutout.Keep:
			weights[0][i], weights[1][i] = max(1, total[0]/seeds[0]), 0
		case cutout.Remove:
			weights[0][i], weights[1][i] = 0, max(1, total[1]/seeds[1])
		}
	}
	return fit(s.pix, weights[0], 3), fit(s.pix, weights[1], 3)
}

// under is the colour of the seeds of one kind, as one component.
func (s *small) under(seed cutout.Seed) gaussian {
	var m moments
	for i, c := range s.pix {
		if s.seeds[i] == seed {
			m.add(c, 1)
		}
	}
	return m.gaussian(m.n)
}

// join sets the cost of a border between neighbours.
func (s *small) join(g *grid) {
	mean, n := 0.0, 0
	s.pairs(func(i, j, _ int) {
		mean += distance(s.pix[i], s.pix[j])
		n++
	})
	if mean == 0 {
		mean, n = 1, 1
	}
	fall := float64(n) / (2 * mean)
	s.pairs(func(i, j, d int) {
		cost := smoothness * math.Exp(-fall*distance(s.pix[i], s.pix[j]))
		if d >= 4 {
			cost /= math.Sqrt2
		}
		c := int32(cost / unit)
		g.arcs[d][g.node(i%s.width, i/s.width)], g.arcs[d^1][g.node(j%s.width, j/s.width)] = c, c
	})
}

// pairs calls do once for each two neighbours, j being that of i in direction d.
func (s *small) pairs(do func(i, j, d int)) {
	for i := range s.pix {
		for d := 0; d < len(around); d += 2 {
			x, y := i%s.width+around[d][0], i/s.width+around[d][1]
			if x >= 0 && x < s.width && y >= 0 && y < s.height {
				do(i, y*s.width+x, d)
			}
		}
	}
}

func distance(a, b [3]float64) float64 {
	x, y, z := a[0]-b[0], a[1]-b[1], a[2]-b[2]
	return x*x + y*y + z*z
}

// preference is how much cheaper pixel i is as subject than as background.
func (s *small) preference(i int, c [3]float64, subject, background *colours) int32 {
	switch s.seeds[i] {
	case cutout.Keep:
		return maxCapacity
	case cutout.Remove:
		return -maxCapacity
	}
	a, _ := subject.log(c)
	b, _ := background.log(c)
	colour := max(-colourLimit, min(colourLimit, a-b))
	alpha := max(0.01, min(0.99, s.alpha[i]))
	mask := max(-maskLimit, min(maskLimit, math.Log(alpha/(1-alpha))))
	// Far from any seed the mask stands.
	return int32((colour*(1-s.near[i]) + mask*(0.1+0.8*s.near[i])) / unit)
}

// distances says for each pixel how far it is from the nearest seed, 0 at a seed to
// 1 from reach on, by two sweeps over the picture (Borgefors 1986).
func (s *small) distances() []float64 {
	all := make([]float64, len(s.pix))
	for i, seed := range s.seeds {
		if seed == cutout.Undecided {
			all[i] = math.Inf(1)
		}
	}
	relax := func(i, x, y int, steps ...[2]int) {
		for _, by := range steps {
			if u, v := x+by[0], y+by[1]; u >= 0 && u < s.width && v >= 0 && v < s.height {
				all[i] = min(all[i], all[v*s.width+u]+math.Hypot(float64(by[0]), float64(by[1])))
			}
		}
	}
	for i := range all {
		relax(i, i%s.width, i/s.width, [2]int{-1, 0}, [2]int{-1, -1}, [2]int{0, -1}, [2]int{1, -1})
	}
	for i := len(all) - 1; i >= 0; i-- {
		relax(i, i%s.width, i/s.width, [2]int{1, 0}, [2]int{1, 1}, [2]int{0, 1}, [2]int{-1, 1})
	}
	far := reach * float64(max(s.width, s.height))
	for i := range all {
		all[i] = min(1, all[i]/far)
	}
	return all
}

// keepTouched leaves of the changes only the parts that touch a seed asking for
// them; elsewhere the mask's side stands.
func (s *small) keepTouched() {
	before := func(i int) bool { return s.alpha[i] > 0.5 }
	wanted := make([]bool, len(s.subject))
	var queue []int
	for i, seed := range s.seeds {
		if seed != cutout.Undecided {
			wanted[i] = true
			queue = append(queue, i)
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		i := queue[0]
		for _, by := range around {
			x, y := i%s.width+by[0], i/s.width+by[1]
			j := y*s.width + x
			if x < 0 || x >= s.width || y < 0 || y >= s.height || wanted[j] {
				continue
			}
			if s.subject[j] == s.subject[i] && s.subject[j] != before(j) {
				wanted[j] = true
				queue = append(queue, j)
			}
		}
	}
	for i := range s.subject {
		if !wanted[i] {
			s.subject[i] = before(i)
		}
	}
}

// apply changes the mask where the decision differs from it, softly at the border of
// the change.
func (s *small) apply(ctx context.Context, m *cutout.Mask) (*cutout.Mask, error) {
	changed, target := make([]float32, len(s.subject)), make([]float32, len(s.subject))
	for i, subject := range s.subject {
		if subject {
			target[i] = 255
		}
		if subject != (s.alpha[i] > 0.5) || s.seeds[i] != cutout.Undecided {
			changed[i] = 1
		}
	}
	out := &cutout.Mask{Width: m.Width, Height: m.Height, Pix: make([]uint8, len(m.Pix))}
	err := cutout.Rows(ctx, m.Height, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range m.Width {
				i := y*m.Width + x
				weight, level := s.at(changed, target, (float64(x)+0.5)/float64(m.Width), (float64(y)+0.5)/float64(m.Height))
				out.Pix[i] = uint8(float32(m.Pix[i])*(1-weight) + level + 0.5)
			}
		}
	})
	return out, err
}

// at interpolates changed, and target times changed, at a place of the photo, 0 to 1.
func (s *small) at(changed, target []float32, u, v float64) (weight, level float32) {
	x, y := max(0, u*float64(s.width)-0.5), max(0, v*float64(s.height)-0.5)
	x0, y0 := min(int(x), s.width-1), min(int(y), s.height-1)
	fx, fy := float32(x-float64(x0)), float32(y-float64(y0))
	for _, c := range [4]struct {
		x, y int
		w    float32
	}{{x0, y0, (1 - fx) * (1 - fy)}, {x0 + 1, y0, fx * (1 - fy)}, {x0, y0 + 1, (1 - fx) * fy}, {x0 + 1, y0 + 1, fx * fy}} {
		i := min(c.y, s.height-1)*s.width + min(c.x, s.width-1)
		weight += c.w * changed[i]
		level += c.w * changed[i] * target[i]
	}
	return weight, level
}
