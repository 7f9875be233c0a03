package complete

// palette holds the colours of a copy, those that are alike as one: models are
// fitted to some thousand colours instead of all pixels.
type palette struct {
	of      []uint16     // the colour of each pixel
	colours [][3]float64 // the mean of those that are alike
}

// shade is how many levels of a channel count as alike: the spread of noise.
const shade = 8

func newPalette(pix [][3]float64) palette {
	p := palette{of: make([]uint16, len(pix))}
	const steps = 256 / shade
	index := make([]int32, steps*steps*steps) // in colours, plus one
	var counts []float64
	for i, c := range pix {
		cell := (int(c[0])/shade*steps+int(c[1])/shade)*steps + int(c[2])/shade
		if index[cell] == 0 {
			p.colours, counts = append(p.colours, [3]float64{}), append(counts, 0)
			index[cell] = int32(len(p.colours))
		}
		k := index[cell] - 1
		p.of[i] = uint16(k)
		counts[k]++
		for channel, v := range c {
			p.colours[k][channel] += v
		}
	}
	for k, n := range counts {
		for channel := range 3 {
			p.colours[k][channel] /= n
		}
	}
	return p
}

// each computes a value for each colour.
func (p *palette) each(value func(c [3]float64) float64) []float64 {
	values := make([]float64, len(p.colours))
	for k, c := range p.colours {
		values[k] = value(c)
	}
	return values
}
