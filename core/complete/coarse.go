package complete

import "context"

// enough is how many pixels are cut at once; more are cut on a grid of half the side
// first, and then only near that border (Lombaert, Sun, Grady and Xu 2005).
const enough = 160 * 160

// solve finds a cut that is minimal on the coarsest grid, and on each finer one near
// the border of the coarser. The error is the context's.
func (g *grid) solve(ctx context.Context) error {
	if g.width*g.height > enough {
		half := g.halved()
		if err := half.solve(ctx); err != nil {
			return err
		}
		g.confine(half)
	}
	return g.cut(ctx)
}

// halved returns the grid with two by two pixels as one.
func (g *grid) halved() *grid {
	h := newGrid((g.width+1)/2, (g.height+1)/2)
	for y := range g.height {
		for x := range g.width {
			i, cell := g.node(x, y), h.node(x/2, y/2)
			h.terminal[cell] = max(-maxCapacity, min(maxCapacity, h.terminal[cell]+g.terminal[i]))
			for d, by := range around {
				right, down := (x+by[0]+2)/2-1-x/2, (y+by[1]+2)/2-1-y/2
				if c := g.arcs[d][i]; c > 0 && (right != 0 || down != 0) {
					h.arcs[towards(right, down)][cell] += c
				}
			}
		}
	}
	return h
}

// towards returns the direction of a step.
func towards(right, down int) int {
	for d, by := range around {
		if by == [2]int{right, down} {
			return d
		}
	}
	return -1 // of no step
}

// confine makes certain what lies more than a pixel of the halved grid from its border.
func (g *grid) confine(half *grid) {
	for y := range g.height {
		for x := range g.width {
			i := g.node(x, y)
			if t := g.terminal[i]; t == maxCapacity || t == -maxCapacity || half.border(x/2, y/2) {
				continue
			}
			g.terminal[i] = -maxCapacity
			if half.subject(x/2, y/2) {
				g.terminal[i] = maxCapacity
			}
		}
	}
}

// border reports whether a pixel, or one next to it, differs from its neighbour.
func (g *grid) border(x, y int) bool {
	side := g.subject(x, y)
	for v := max(0, y-1); v <= min(g.height-1, y+1); v++ {
		for u := max(0, x-1); u <= min(g.width-1, x+1); u++ {
			if g.subject(u, v) != side {
				return true
			}
		}
	}
	return false
}
