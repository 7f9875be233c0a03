package complete

import "math"

// components is the number of Gaussians in a colour model.
const components = 5

// colours is a Gaussian mixture over colours: how likely each is in a region.
type colours struct {
	parts [components]gaussian
}

// gaussian is one component, as its weighted density is computed: the log of
// weight and normalisation, the mean, and the inverse of the covariance.
type gaussian struct {
	weight  float64
	scale   float64 // log(weight) - log(determinant)/2
	mean    [3]float64
	inverse [6]float64 // xx, xy, xz, yy, yz, zz
}

// moments are the sums that a gaussian is made from.
type moments struct {
	n      float64
	sum    [3]float64
	square [6]float64
}

func (m *moments) add(c [3]float64, w float64) {
	m.n += w
	for i := range 3 {
		m.sum[i] += w * c[i]
	}
	m.square[0] += w * c[0] * c[0]
	m.square[1] += w * c[0] * c[1]
	m.square[2] += w * c[0] * c[2]
	m.square[3] += w * c[1] * c[1]
	m.square[4] += w * c[1] * c[2]
	m.square[5] += w * c[2] * c[2]
}

// floorVariance is added to every variance: the spread of sensor noise and of a
// gradient, in squared levels.
const floorVariance = 4

func (m *moments) gaussian(total float64) gaussian {
	if m.n <= 0 || total <= 0 {
		return gaussian{scale: math.Inf(-1)}
	}
	g := gaussian{weight: m.n / total}
	for i := range 3 {
		g.mean[i] = m.sum[i] / m.n
	}
	c := m.square
	for k := range c {
		c[k] /= m.n
	}
	x, y, z := g.mean[0], g.mean[1], g.mean[2]
	xx, xy, xz, yy, yz, zz := c[0]-x*x+floorVariance, c[1]-x*y, c[2]-x*z, c[3]-y*y+floorVariance, c[4]-y*z, c[5]-z*z+floorVariance
	a, b, d := yy*zz-yz*yz, xz*yz-xy*zz, xy*yz-xz*yy
	det := xx*a + xy*b + xz*d
	if det < 1 {
		det = 1
	}
	g.inverse = [6]float64{a / det, b / det, d / det, (xx*zz - xz*xz) / det, (xy*xz - xx*yz) / det, (xx*yy - xy*xy) / det}
	g.scale = math.Log(g.weight) - math.Log(det)/2
	return g
}

// likeness is 1 for the component's own mean and falls to 0 within a few standard
// deviations of it; it is 0 for a component of nothing.
func (g *gaussian) likeness(c [3]float64) float64 {
	if math.IsInf(g.scale, -1) {
		return 0
	}
	return math.Exp((g.log(c) - g.scale) / 4)
}

// log returns the log of the component's weighted density, up to a constant.
func (g *gaussian) log(c [3]float64) float64 {
	x, y, z := c[0]-g.mean[0], c[1]-g.mean[1], c[2]-g.mean[2]
	v := &g.inverse
	return g.scale - (x*(x*v[0]+2*(y*v[1]+z*v[2]))+y*(y*v[3]+2*z*v[4])+z*z*v[5])/2
}

// log returns the log of the mixture's density, up to a constant, and which component is
// nearest.
func (m *colours) log(c [3]float64) (sum float64, nearest int) {
	best, logs := math.Inf(-1), [components]float64{}
	for k := range m.parts {
		logs[k] = m.parts[k].log(c)
		if logs[k] > best {
			best, nearest = logs[k], k
		}
	}
	if math.IsInf(best, -1) {
		return -1e9, 0
	}
	for _, l := range logs {
		if d := l - best; d > -30 {
			sum += math.Exp(d)
		}
	}
	return best + math.Log(sum), nearest
}

// fit makes a model of weighted colours: split along the greatest spread to
// begin with (Orchard and Bouman 1991), then so many rounds of moving each
// colour to the component where it is likeliest.
func fit(pix [][3]float64, weight []float64, rounds int) *colours {
	label := make([]int8, len(pix))
	split(pix, weight, label)
	m := &colours{}
	for r := 0; ; r++ {
		m.estimate(pix, weight, label)
		if r == rounds {
			return m
		}
		for i, w := range weight {
			if w > 0 {
				_, k := m.log(pix[i])
				label[i] = int8(k)
			}
		}
	}
}

func (m *colours) estimate(pix [][3]float64, weight []float64, label []int8) {
	var sums [components]moments
	total := 0.0
	for i, w := range weight {
		if w > 0 {
			sums[label[i]].add(pix[i], w)
			total += w
		}
	}
	for k := range sums {
		m.parts[k] = sums[k].gaussian(total)
	}
}

// split divides the colours into components: the one whose greatest spread is
// largest is cut in two at its mean, across that spread.
func split(pix [][3]float64, weight []float64, label []int8) {
	for n := 1; n < components; n++ {
		var sums [components]moments
		for i, w := range weight {
			if w > 0 {
				sums[label[i]].add(pix[i], w)
			}
		}
		widest, which, axis := 0.0, -1, [3]float64{}
		for k := range n {
			if v, a := sums[k].spread(); v > widest {
				widest, which, axis = v, k, a
			}
		}
		if which < 0 {
			return
		}
		s := &sums[which] //nolint:gosec // G602: which is below n, at most components-1
		middle := (s.sum[0]*axis[0] + s.sum[1]*axis[1] + s.sum[2]*axis[2]) / s.n
		for i, w := range weight {
			if w > 0 && int(label[i]) == which && pix[i][0]*axis[0]+pix[i][1]*axis[1]+pix[i][2]*axis[2] > middle {
				label[i] = int8(n)
			}
		}
	}
}

// spread returns the greatest eigenvalue of the scatter and its axis, by power
// iteration.
func (m *moments) spread() (float64, [3]float64) {
	if m.n <= 0 {
		return 0, [3]float64{}
	}
	s := m.square
	x, y, z := m.sum[0], m.sum[1], m.sum[2]
	for k, p := range [6]float64{x * x, x * y, x * z, y * y, y * z, z * z} {
		s[k] -= p / m.n
	}
	v, value := [3]float64{1, 0.9, 0.8}, 0.0
	for range 24 {
		w := [3]float64{
			s[0]*v[0] + s[1]*v[1] + s[2]*v[2],
			s[1]*v[0] + s[3]*v[1] + s[4]*v[2],
			s[2]*v[0] + s[4]*v[1] + s[5]*v[2],
		}
		value = math.Sqrt(w[0]*w[0] + w[1]*w[1] + w[2]*w[2])
		if value < 1e-9 {
			return 0, v
		}
		v = [3]float64{w[0] / value, w[1] / value, w[2] / value}
	}
	return value, v
}
