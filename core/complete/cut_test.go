package complete

import (
	"testing"

	"pgregory.net/rapid"
)

// cost of the cut that puts the pixels of the set bits on the source's side.
func (g *grid) cost(set int) (sum int64) {
	for y := range g.height {
		for x := range g.width {
			i, in := g.node(x, y), set>>(y*g.width+x)&1 == 1
			if t := int64(g.terminal[i]); in && t < 0 {
				sum -= t
			} else if !in && t > 0 {
				sum += t
			}
			for d, by := range around {
				u, v := x+by[0], y+by[1]
				if in && u >= 0 && u < g.width && v >= 0 && v < g.height && set>>(v*g.width+u)&1 == 0 {
					sum += int64(g.arcs[d][i])
				}
			}
		}
	}
	return sum
}

// No set of pixels costs less than the one that was cut.
func TestCutIsTheLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.IntRange(1, 6).Draw(t, "width")
		h := rapid.IntRange(1, 12/w).Draw(t, "height")
		g := newGrid(w, h)
		for y := range h {
			for x := range w {
				g.terminal[g.node(x, y)] = rapid.Int32Range(-20, 20).Draw(t, "terminal")
				for d, by := range around {
					if u, v := x+by[0], y+by[1]; u >= 0 && u < w && v >= 0 && v < h {
						g.arcs[d][g.node(x, y)] = rapid.Int32Range(0, 10).Draw(t, "arc")
					}
				}
			}
		}
		least := int64(1 << 60)
		for set := range 1 << (w * h) {
			least = min(least, g.cost(set))
		}
		before := newGrid(w, h)
		copy(before.terminal, g.terminal)
		for d := range g.arcs {
			copy(before.arcs[d], g.arcs[d])
		}
		if err := g.cut(t.Context()); err != nil {
			t.Fatal(err)
		}
		set := 0
		for y := range h {
			for x := range w {
				if g.subject(x, y) {
					set |= 1 << (y*w + x)
				}
			}
		}
		if got := before.cost(set); got != least {
			t.Fatalf("the cut costs %d, the least is %d", got, least)
		}
	})
}
