package compose

import (
	"context"

	"bgremover.pro/core/cutout"
)

// The weights of multi-level foreground estimation (Germer, Uelwer, Conrad,
// Harmeling: Fast Multi-Level Foreground Estimation, ICPR 2020).
const (
	// smoothness ties the colours of neighbours.
	smoothness = 1e-5
	// gradient ties them more where alpha changes between them.
	gradient = 1
	// Levels up to smallSide a side are worked on whole and often.
	smallSide, smallRounds, rounds = 32, 10, 2
)

// estimate finds, coarse to fine, colours of subject and background that mix by
// alpha to the photo's and are smooth otherwise. Its answer is the finest
// level; pixels away from all half-transparent ones are left out.
func estimate(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask) (*level, error) {
	levels, err := pyramid(ctx, photo, alpha)
	if err != nil {
		return nil, err
	}
	var coarser *level
	for i := len(levels) - 1; i >= 0; i-- {
		l, n := levels[i], rounds
		l.begin(coarser)
		if max(l.width, l.height) <= smallSide {
			n = smallRounds
		}
		for range n {
			// Neighbours differ in parity, so pixels of one parity can be
			// worked on in any order, and side by side.
			for parity := range 2 {
				if err := l.relax(ctx, parity); err != nil {
					return nil, err
				}
			}
		}
		coarser = l
		levels[i] = nil
	}
	return coarser, nil
}

// begin takes over the coarser level's colours and finds the mixed pixels.
func (l *level) begin(coarser *level) {
	small := max(l.width, l.height) <= smallSide
	l.mixed = make([]bool, len(l.pix))
	for y := range l.height {
		for x := range l.width {
			i := y*l.width + x
			p, c := &l.pix[i], &l.colours[i]
			if coarser != nil {
				*c = coarser.colours[y/2*coarser.width+x/2]
			} else {
				*c = colours{p.rgb, p.rgb}
			}
			switch {
			case p.known == 0:
			case p.a >= 1:
				c.subject = p.rgb
			case p.a <= 0:
				c.background = p.rgb
			}
			if small || p.a > 0 && p.a < 1 {
				l.mark(x, y)
			}
		}
	}
}

// mark sets mixed for a pixel and those around it: the hidden colour of a
// neighbour is as unknown as the pixel's own.
func (l *level) mark(x, y int) {
	for j := max(0, y-1); j <= min(l.height-1, y+1); j++ {
		for i := max(0, x-1); i <= min(l.width-1, x+1); i++ {
			l.mixed[j*l.width+i] = true
		}
	}
}

// relax solves for the colours of each mixed pixel of one parity, those of its
// neighbours held fixed.
func (l *level) relax(ctx context.Context, parity int) error {
	return cutout.Rows(ctx, l.height, func(from, to int) {
		for y := from; y < to; y++ {
			for x := (y + parity) & 1; x < l.width; x += 2 {
				if i := y*l.width + x; l.mixed[i] {
					l.colours[i] = l.solve(x, y, i)
				}
			}
		}
	})
}

func (l *level) solve(x, y, i int) colours {
	p := &l.pix[i]
	var around [4]int
	n := 0
	beside := func(j int, inside bool) {
		if inside {
			around[n] = j
			n++
		}
	}
	beside(i-1, x > 0)
	beside(i+1, x < l.width-1)
	beside(i-l.width, y > 0)
	beside(i+l.width, y < l.height-1)
	var subject, background rgb
	var total float32
	for _, j := range around[:n] {
		d := p.a - l.pix[j].a
		if d < 0 {
			d = -d
		}
		w := smoothness + gradient*d
		o := &l.colours[j]
		subject = subject.plus(w, o.subject)
		background = background.plus(w, o.background)
		total += w
	}
	if total == 0 {
		return l.colours[i]
	}
	mean := colours{rgb{}.plus(1/total, subject), rgb{}.plus(1/total, background)}
	return mean.explaining(p.rgb, p.a, total, p.known)
}

// explaining returns the colours nearest to c, by the given weight, that mix by
// alpha to the pixel's colour. It solves the two by two system
//
//	(a*a + w)*F + a*(1-a)*B = a*I + w*Fc,  a*(1-a)*F + ((1-a)*(1-a) + w)*B = (1-a)*I + w*Bc
//
// which amounts to sharing out what c fails to explain.
func (c *colours) explaining(pixel rgb, a, weight, known float32) colours {
	left := c.unexplained(pixel, a, weight)
	return colours{
		c.subject.plus(known*a, left).clamped(),
		c.background.plus(known*(1-a), left).clamped(),
	}
}

// unexplained returns what the mixture of c lacks of the pixel's colour, per
// share: the subject takes alpha shares of it, the background the rest.
func (c *colours) unexplained(pixel rgb, a, weight float32) rgb {
	b := 1 - a
	left := pixel.plus(-a, c.subject).plus(-b, c.background)
	return rgb{}.plus(1/(a*a+b*b+weight), left)
}
