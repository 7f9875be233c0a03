package complete

// adopt finds each orphan another parent in its tree, or sets it free and makes
// orphans of its children.
func (g *grid) adopt() {
	for len(g.orphans) > 0 {
		i := g.orphans[len(g.orphans)-1]
		g.orphans = g.orphans[:len(g.orphans)-1]
		g.adoptOne(i)
	}
}

func (g *grid) adoptOne(i int32) {
	sink := g.sink[i]
	best, nearest := -1, int32(1<<30)
	for d := range 8 {
		j := i + g.step[d]
		if g.parent[j] == free || g.sink[j] != sink || g.residual(j, d^1, sink) == 0 {
			continue
		}
		if n := g.fromRoot(j); n < nearest {
			best, nearest = d, n
		}
	}
	if best >= 0 {
		g.parent[i] = int8(best)
		g.stamp[i], g.distance[i] = g.time, nearest+1
		return
	}
	g.parent[i] = free
	for d := range 8 {
		j := i + g.step[d]
		if g.parent[j] == free || g.sink[j] != sink {
			continue
		}
		if g.residual(j, d^1, sink) > 0 {
			g.activate(j)
		}
		if g.parent[j] >= 0 && j+g.step[g.parent[j]] == i {
			g.disown(j)
		}
	}
}

// fromRoot returns the number of arcs from a pixel to its terminal, a large
// number where the way ends at an orphan, and notes what it learns on the way.
func (g *grid) fromRoot(i int32) int32 {
	n, j := int32(0), i
	for {
		if g.stamp[j] == g.time {
			n += g.distance[j]
			break
		}
		d := g.parent[j]
		if d == orphan {
			return 1 << 30
		}
		n++
		if d == root {
			g.stamp[j], g.distance[j] = g.time, 1
			break
		}
		j += g.step[d]
	}
	for k, left := i, n; g.stamp[k] != g.time; left-- {
		g.stamp[k], g.distance[k] = g.time, left
		k += g.step[g.parent[k]]
	}
	return n
}

// fifo is a queue of pixels.
type fifo struct {
	items []int32
	head  int
}

func (q *fifo) push(i int32) { q.items = append(q.items, i) }

func (q *fifo) first() (int32, bool) {
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		return 0, false
	}
	return q.items[q.head], true
}

func (q *fifo) pop() {
	q.head++
	if q.head > 1<<16 && q.head > len(q.items)/2 {
		q.items = append(q.items[:0], q.items[q.head:]...)
		q.head = 0
	}
}
