package refine

import (
	"context"
	"math"

	"bgremover.pro/core/cutout"
)

// doubt is the minimum weight of a pixel in a fit: that of one at one half.
const doubt = 0.1

// window is the radius of a pass's windows in cells; a window is 2*radius+1
// cells a side.
func (p pass) window(g *grid) int {
	cells := p.radius * float64(g.long) / float64(g.block*p.cell)
	return max(1, int(math.Round(cells)))
}

// reach is how far, in grid pixels, the pixels that matter to an undecided one
// can lie: a window around each of the cells that its function is blended from.
func (p pass) reach(g *grid) int { return (p.window(g) + 2) * p.cell }

// moments are the weighted sums over a window that a linear fit of alpha to
// colour needs.
type moments struct {
	n, r, g, b, a          float32
	rr, rg, rb, gg, gb, bb float32
	ra, ga, ba, aa         float32
}

func (m *moments) add(o *moments) {
	m.n += o.n
	m.r += o.r
	m.g += o.g
	m.b += o.b
	m.a += o.a
	m.rr += o.rr
	m.rg += o.rg
	m.rb += o.rb
	m.gg += o.gg
	m.gb += o.gb
	m.bb += o.bb
	m.ra += o.ra
	m.ga += o.ga
	m.ba += o.ba
	m.aa += o.aa
}

// observe adds one grid pixel, weighted by how certain its alpha is.
func (m *moments) observe(p *pixel) {
	w := 2*p.a - 1
	if w < 0 {
		w = -w
	}
	w += doubt
	r, g, b := w*p.r, w*p.g, w*p.b
	m.n += w
	m.r += r
	m.g += g
	m.b += b
	m.a += w * p.a
	m.rr += r * p.r
	m.rg += r * p.g
	m.rb += r * p.b
	m.gg += g * p.g
	m.gb += g * p.b
	m.bb += b * p.b
	m.ra += r * p.a
	m.ga += g * p.a
	m.ba += b * p.a
	m.aa += w * p.a * p.a
}

// line solves the ridge regression: alpha = r*R + g*G + b*B + one.
func (m *moments) line(epsilon float32) line {
	n := 1 / m.n
	r, g, b, a := m.r*n, m.g*n, m.b*n, m.a*n
	rr, gg, bb := m.rr*n-r*r+epsilon, m.gg*n-g*g+epsilon, m.bb*n-b*b+epsilon
	rg, rb, gb := m.rg*n-r*g, m.rb*n-r*b, m.gb*n-g*b
	ra, ga, ba := m.ra*n-r*a, m.ga*n-g*a, m.ba*n-b*a
	// The covariance matrix is symmetric: its inverse is the adjugate over the
	// determinant, which epsilon keeps above 0.
	i00, i01, i02 := gg*bb-gb*gb, gb*rb-rg*bb, rg*gb-gg*rb
	i11, i12, i22 := rr*bb-rb*rb, rg*rb-rr*gb, rr*gg-rg*rg
	det := 1 / (rr*i00 + rg*i01 + rb*i02)
	l := line{
		r: (i00*ra + i01*ga + i02*ba) * det,
		g: (i01*ra + i11*ga + i12*ba) * det,
		b: (i02*ra + i12*ga + i22*ba) * det,
	}
	l.varies, l.explained = m.aa*n-a*a, l.r*ra+l.g*ga+l.b*ba
	l.one = a - l.r*r - l.g*g - l.b*b
	return l
}

// fit computes the pass's lines near the undecided band.
func (g *grid) fit(ctx context.Context, p pass) (*field, error) {
	wanted := g.undecided.cells(p.cell).near(1)
	f := &field{
		width: wanted.width, height: wanted.height,
		side: p.cell * g.block, trust: p.trust, lines: make([]line, len(wanted.set)), fitted: wanted,
	}
	s := sums{
		epsilon: p.epsilon, radius: p.window(g), width: f.width, height: f.height,
		cells: make([]moments, len(f.lines)), across: make([]moments, len(f.lines)),
	}
	s.read = wanted.near(s.radius)
	err := cutout.Rows(ctx, f.height, func(from, to int) {
		for y := from; y < to; y++ {
			g.observe(p.cell, s.cells, s.read, y)
			s.sumAcross(y)
		}
	})
	if err != nil {
		return nil, err
	}
	err = cutout.Rows(ctx, f.height, func(from, to int) {
		for y := from; y < to; y++ {
			s.solve(f, y)
		}
	})
	if err != nil {
		return nil, err
	}
	return f, g.strengthen(ctx, f, p.cell)
}

// sums adds up the moments of cells over square windows, first along rows, then
// along columns.
type sums struct {
	epsilon               float32
	radius, width, height int
	read                  *flags // which cells are read
	cells, across         []moments
}

func (s *sums) sumAcross(y int) {
	in, out := s.cells[y*s.width:][:s.width], s.across[y*s.width:][:s.width]
	for x, read := range s.read.row(y) {
		if read {
			for i := max(0, x-s.radius); i <= min(s.width-1, x+s.radius); i++ {
				out[x].add(&in[i])
			}
		}
	}
}

// solve fits the lines of row y.
func (s *sums) solve(f *field, y int) {
	for x, wanted := range f.fitted.row(y) {
		if wanted {
			var sum moments
			for j := max(0, y-s.radius); j <= min(s.height-1, y+s.radius); j++ {
				sum.add(&s.across[j*s.width+x])
			}
			f.lines[y*s.width+x] = sum.line(s.epsilon)
		}
	}
}

// observe fills the moments of row y of cells.
func (g *grid) observe(side int, cells []moments, read *flags, y int) {
	for x, set := range read.row(y) {
		if !set {
			continue
		}
		m := &cells[y*read.width+x]
		for j := y * side; j < min((y+1)*side, g.height); j++ {
			for i := x * side; i < min((x+1)*side, g.width); i++ {
				m.observe(&g.pix[j*g.width+i])
			}
		}
	}
}
