package contracttest

import "bgremover.pro/core/cutout"

// inDisc reports whether a pixel lies in the centred disc, whose radius is 3/10
// of the side.
func inDisc(x, y, size int) bool {
	dx, dy := 2*x+1-size, 2*y+1-size // twice the distance from the centre
	return 25*(dx*dx+dy*dy) < 9*size*size
}

// disc is a picture on which every working backend agrees: a light disc on a dark
// ground.
func disc(size int) *cutout.Input {
	input := &cutout.Input{Width: size, Height: size, Pix: make([]uint8, 0, 3*size*size)}
	for y := range size {
		for x := range size {
			if inDisc(x, y, size) {
				input.Pix = append(input.Pix, 250, 220, 190)
			} else {
				input.Pix = append(input.Pix, 20, 30, 40)
			}
		}
	}
	return input
}

// means returns the mean of a mask in the disc and around it.
func means(m *cutout.Mask) (subject, background float64) {
	var sum, count [2]float64
	for y := range m.Height {
		for x := range m.Width {
			i := 0
			if inDisc(x, y, m.Width) {
				i = 1
			}
			sum[i] += float64(m.Pix[y*m.Width+x])
			count[i]++
		}
	}
	return sum[1] / count[1], sum[0] / count[0]
}

// negative turns light into dark, which makes another picture with another mask.
func negative(in *cutout.Input) *cutout.Input {
	for i, v := range in.Pix {
		in.Pix[i] = 255 - v
	}
	return in
}
