package complete

import "context"

// grid is a graph over the pixels of a picture, each joined to its eight
// neighbours, a source and a sink, for the minimum cut of Boykov and Kolmogorov
// ("An experimental comparison of min-cut/max-flow algorithms", 2004): two
// search trees, one from the source and one from the sink, are kept between
// augmentations and repaired where an arc saturates.
//
// A border of one pixel, whose arcs have no capacity, spares the inner loops
// every test for the picture's sides. Capacities are integers, so that the cut
// is the same on every machine.
type grid struct {
	width, height, stride int
	// terminal is the residual capacity from the source, or, negative, to the
	// sink; arcs[d] that to the neighbour in direction d.
	terminal []int32
	arcs     [8][]int32
	step     [8]int32 // from a pixel to its neighbour, in each direction

	parent   []int8 // direction of the parent in the tree, or one of the below
	sink     []bool // which tree
	distance []int32
	stamp    []int32 // when distance was last known to be right
	time     int32
	active   fifo
	waiting  []bool // in active
	orphans  []int32
}

// The values of parent that are not a direction.
const (
	free   = -1 // in neither tree
	root   = -2 // the terminal itself
	orphan = -3
)

// maxCapacity is the capacity that no cut crosses; a pixel's arcs together stay
// far below it.
const maxCapacity = 1 << 28

// around lists the neighbours; direction d's opposite is d^1.
var around = [8][2]int{{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {-1, 1}, {1, -1}}

func newGrid(width, height int) *grid {
	g := &grid{width: width, height: height, stride: width + 2}
	n := g.stride * (height + 2)
	g.terminal = make([]int32, n)
	for d, by := range around {
		g.arcs[d] = make([]int32, n)
		g.step[d] = int32(by[1]*g.stride + by[0])
	}
	g.parent, g.sink = make([]int8, n), make([]bool, n)
	g.distance, g.stamp = make([]int32, n), make([]int32, n)
	g.waiting = make([]bool, n)
	return g
}

// node returns the index of a pixel.
func (g *grid) node(x, y int) int32 { return int32((y+1)*g.stride + x + 1) }

// cut finds the minimum cut. Afterwards subject says on which side a pixel lies. It returns
// the context's error if that ends first.
func (g *grid) cut(ctx context.Context) error {
	for i := range g.parent {
		g.parent[i] = free
	}
	for y := range g.height {
		for x := range g.width {
			if i := g.node(x, y); g.terminal[i] != 0 {
				g.parent[i], g.sink[i], g.distance[i] = root, g.terminal[i] < 0, 1
				g.activate(i)
			}
		}
	}
	for rounds := 0; ; rounds++ {
		if rounds%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		i, d, found := g.grow()
		if !found {
			return nil
		}
		g.time++
		g.augment(i, d)
		g.adopt()
	}
}

// subject says whether a pixel lies on the source's side. A pixel that neither
// tree reaches could lie on either; it counts as background.
func (g *grid) subject(x, y int) bool {
	i := g.node(x, y)
	return g.parent[i] != free && !g.sink[i]
}

func (g *grid) activate(i int32) {
	if !g.waiting[i] {
		g.waiting[i] = true
		g.active.push(i)
	}
}

// residual is what may still flow from the side of the source towards that of
// the sink between i, in the tree given, and its neighbour in direction d.
func (g *grid) residual(i int32, d int, sink bool) int32 {
	if sink {
		return g.arcs[d^1][i+g.step[d]]
	}
	return g.arcs[d][i]
}

// grow extends the trees until they touch, and returns the arc where they do,
// from the source's tree to the sink's.
func (g *grid) grow() (from int32, direction int, found bool) {
	for {
		i, ok := g.active.first()
		if !ok {
			return 0, 0, false
		}
		if g.parent[i] != free {
			if from, direction, found = g.explore(i); found {
				return from, direction, true // i stays first: it may touch again
			}
		}
		g.active.pop()
		g.waiting[i] = false
	}
}

func (g *grid) explore(i int32) (from int32, direction int, found bool) {
	sink := g.sink[i]
	for d := range 8 {
		if g.residual(i, d, sink) == 0 {
			continue
		}
		j := i + g.step[d]
		switch {
		case g.parent[j] == free:
			g.parent[j], g.sink[j] = int8(d^1), sink
			g.stamp[j], g.distance[j] = g.stamp[i], g.distance[i]+1
			g.activate(j)
		case g.sink[j] != sink:
			if sink {
				return j, d ^ 1, true
			}
			return i, d, true
		case g.stamp[j] <= g.stamp[i] && g.distance[j] > g.distance[i]:
			// A shorter way to the terminal.
			g.parent[j] = int8(d ^ 1)
			g.stamp[j], g.distance[j] = g.stamp[i], g.distance[i]+1
		}
	}
	return 0, 0, false
}

// augment sends as much as fits along the path through an arc.
func (g *grid) augment(i int32, d int) {
	j := i + g.step[d]
	flow := min(g.arcs[d][i], g.narrowest(i), g.narrowest(j))
	g.arcs[d][i] -= flow
	g.arcs[d^1][j] += flow
	g.send(i, flow)
	g.send(j, flow)
}

// narrowest returns the least residual capacity from a pixel to its terminal.
func (g *grid) narrowest(i int32) int32 {
	least, sink := int32(maxCapacity), g.sink[i]
	for g.parent[i] >= 0 {
		d := int(g.parent[i])
		up := i + g.step[d]
		// Towards the source flow comes down the tree, towards the sink it goes up.
		if sink {
			least = min(least, g.arcs[d][i])
		} else {
			least = min(least, g.arcs[d^1][up])
		}
		i = up
	}
	return min(least, max(g.terminal[i], -g.terminal[i]))
}

// send lets flow pass between a pixel and its terminal; what saturates loses its
// parent.
func (g *grid) send(i, flow int32) {
	sink := g.sink[i]
	for g.parent[i] >= 0 {
		d := int(g.parent[i])
		up := i + g.step[d]
		var full bool
		if sink {
			g.arcs[d][i] -= flow
			g.arcs[d^1][up] += flow
			full = g.arcs[d][i] == 0
		} else {
			g.arcs[d^1][up] -= flow
			g.arcs[d][i] += flow
			full = g.arcs[d^1][up] == 0
		}
		if full {
			g.disown(i)
		}
		i = up
	}
	if sink {
		g.terminal[i] += flow
	} else {
		g.terminal[i] -= flow
	}
	if g.terminal[i] == 0 {
		g.disown(i)
	}
}

func (g *grid) disown(i int32) {
	g.parent[i] = orphan
	g.orphans = append(g.orphans, i)
}
