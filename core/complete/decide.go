package complete

import (
	"context"
	"math"

	"bgremover.pro/core/cutout"
)

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

// decision is one question put to a copy: its mask and seeds, and what is decided
// about each of its pixels.
type decision struct {
	*Copy
	level   []uint8 // the mask
	seeds   []cutout.Seed
	near    []float64 // how much the mask counts, 0 at a seed to 1
	subject []bool
}

// Decide returns how the seeds change a mask of the photo. The error is the context's.
func (c *Copy) Decide(ctx context.Context, m *cutout.Mask, seeds *cutout.Seeds) (*Change, error) {
	n := c.width * c.height
	s := &decision{Copy: c, level: c.Levels(m).Pix, seeds: make([]cutout.Seed, n), subject: make([]bool, n)}
	for i := range s.seeds {
		s.seeds[i] = seeds.Within(i%c.width, i/c.width, c.width, c.height)
	}
	s.near = s.distances()
	if err := s.cut(ctx); err != nil {
		return nil, err
	}
	s.keepTouched()
	return s.change(), nil
}

// before says on which side of the mask's border a pixel lay.
func (s *decision) before(i int) bool { return s.level[i] > 127 }

// cut decides for each pixel whether it is subject.
func (s *decision) cut(ctx context.Context) error {
	colour := s.prefer()
	masked := maskPreferences()
	g := newGrid(s.width, s.height)
	for d := range g.arcs {
		copy(g.arcs[d], s.borders[d])
	}
	for y := range s.height {
		for x := range s.width {
			i := y*s.width + x
			g.terminal[g.node(x, y)] = s.preference(i, colour[s.palette.of[i]], masked[s.level[i]])
		}
	}
	if err := g.solve(ctx); err != nil {
		return err
	}
	for y := range s.height {
		for x := range s.width {
			s.subject[y*s.width+x] = g.subject(x, y)
		}
	}
	return nil
}

// preference is how much cheaper pixel i is as subject than as background.
func (s *decision) preference(i int, colour, masked float64) int32 {
	switch s.seeds[i] {
	case cutout.Keep:
		return maxCapacity
	case cutout.Remove:
		return -maxCapacity
	}
	if s.near[i] == 1 { // far from any seed the mask stands
		if s.before(i) {
			return maxCapacity
		}
		return -maxCapacity
	}
	return int32((colour*(1-s.near[i]) + masked*(0.1+0.8*s.near[i])) / unit)
}

// maskPreferences is what each level of the mask says for the subject.
func maskPreferences() (p [256]float64) {
	for level := range p {
		a := max(0.01, min(0.99, float64(level)/255))
		p[level] = max(-maskLimit, min(maskLimit, math.Log(a/(1-a))))
	}
	return p
}

// prefer returns what each colour of the palette says for the subject. The colours of
// both sides are those of the mask, the less the nearer and the more alike they are to
// a seed that says otherwise, and, as heavy as all of them together, those under the
// seeds.
func (s *decision) prefer() []float64 {
	kept, removed := s.under(cutout.Keep), s.under(cutout.Remove)
	alike := [2][]float64{s.palette.each(removed.likeness), s.palette.each(kept.likeness)}
	var weights, seeded [2][]float64
	for side := range weights {
		weights[side], seeded[side] = make([]float64, len(s.palette.colours)), make([]float64, len(s.palette.colours))
	}
	var total, seeds [2]float64
	for i, k := range s.palette.of {
		switch s.seeds[i] {
		case cutout.Keep:
			seeded[0][k]++
			seeds[0]++
			continue
		case cutout.Remove:
			seeded[1][k]++
			seeds[1]++
			continue
		}
		a := float64(s.level[i]) / 255
		for side, share := range [2]float64{a, 1 - a} {
			w := share * share * s.near[i]
			if s.near[i] < 1 {
				w *= 1 - alike[side][k]
			}
			weights[side][k] += w
			total[side] += w
		}
	}
	for side := range weights {
		for k, n := range seeded[side] {
			if n > 0 {
				weights[side][k] += n * max(1, total[side]/seeds[side])
			}
		}
	}
	subject, background := fit(s.palette.colours, weights[0], 3), fit(s.palette.colours, weights[1], 3)
	return s.palette.each(func(c [3]float64) float64 {
		a, _ := subject.log(c)
		b, _ := background.log(c)
		return max(-colourLimit, min(colourLimit, a-b))
	})
}

// under is the colour of the seeds of one kind, as one component.
func (s *decision) under(seed cutout.Seed) gaussian {
	var m moments
	for i, k := range s.palette.of {
		if s.seeds[i] == seed {
			m.add(s.palette.colours[k], 1)
		}
	}
	return m.gaussian(m.n)
}

// distances says for each pixel how far it is from the nearest seed, 0 at a seed to
// 1 from reach on, by two sweeps over the picture (Borgefors 1986).
func (s *decision) distances() []float64 {
	all := make([]float64, len(s.level))
	for i, seed := range s.seeds {
		if seed == cutout.Undecided {
			all[i] = math.Inf(1)
		}
	}
	w, h := s.width, s.height
	relax := func(x, y int, towards int) {
		i := y*w + x
		back, up := x-towards, y-towards
		if back >= 0 && back < w {
			all[i] = min(all[i], all[y*w+back]+1)
		}
		if up < 0 || up >= h {
			return
		}
		all[i] = min(all[i], all[up*w+x]+1)
		if x > 0 {
			all[i] = min(all[i], all[up*w+x-1]+math.Sqrt2)
		}
		if x < w-1 {
			all[i] = min(all[i], all[up*w+x+1]+math.Sqrt2)
		}
	}
	for y := range h {
		for x := range w {
			relax(x, y, 1)
		}
	}
	for y := h - 1; y >= 0; y-- {
		for x := w - 1; x >= 0; x-- {
			relax(x, y, -1)
		}
	}
	far := reach * float64(max(w, h))
	for i := range all {
		all[i] = min(1, all[i]/far)
	}
	return all
}

// keepTouched leaves of the changes only the parts that touch a seed asking for
// them; elsewhere the mask's side stands.
func (s *decision) keepTouched() {
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
			if s.subject[j] == s.subject[i] && s.subject[j] != s.before(j) {
				wanted[j] = true
				queue = append(queue, j)
			}
		}
	}
	for i := range s.subject {
		if !wanted[i] {
			s.subject[i] = s.before(i)
		}
	}
}
