package bench

import "math"

// Quality measures how close a cut-out is to the ground truth.
type Quality struct {
	// MAD and MSE are the mean absolute and the mean squared difference of
	// alpha (0..1), times 1000.
	MAD Figure `json:"mad"`
	MSE Figure `json:"mse"`
	// IoU is the intersection over the union of what is more than half subject.
	IoU Figure `json:"iou"`
	// Edge is MAD where the true alpha is soft (0.02 to 0.98) or within four
	// pixels of its border.
	Edge Figure `json:"edge"`
	// Foreground is the mean difference of colour samples (0..255) where the
	// true alpha is between 0.05 and 0.95; unknown without true colours.
	Foreground Figure `json:"fg"`
}

// Compare measures a cut-out against the true alpha (its grey) and, where
// known, the true colours of the subject.
func Compare(truth, colours, result *pixels) Quality {
	exact := truth.grey()
	alpha := result.matte()
	if result.width != truth.width || result.height != truth.height {
		alpha = scaleGrey(alpha, result.width, result.height, truth.width, truth.height)
	}
	near := nearBorder(exact, truth.width, truth.height)
	var sum, squares, edge float64
	var both, either, edges int
	for i, g := range exact {
		d := math.Abs(float64(alpha[i])-float64(g)) / 255
		sum += d
		squares += d * d
		if soft := float64(g) / 255; near[i] || soft > .02 && soft < .98 {
			edge += d
			edges++
		}
		if alpha[i] > 127 && g > 127 {
			both++
		}
		if alpha[i] > 127 || g > 127 {
			either++
		}
	}
	n := float64(len(exact))
	q := Quality{MAD: Figure(sum / n * 1000), MSE: Figure(squares / n * 1000),
		IoU: Figure(float64(both) / float64(max(1, either))), Edge: unknown, Foreground: unknown}
	if edges > 0 {
		q.Edge = Figure(edge / float64(edges) * 1000)
	}
	if colours != nil && result.transparent && result.sameSize(truth) && colours.sameSize(truth) {
		q.Foreground = colourError(exact, colours, result)
	}
	return q
}

// colourError needs more than fifty half-transparent pixels.
func colourError(exact []uint8, colours, result *pixels) Figure {
	var sum, n int
	for i, g := range exact {
		soft := float64(g) / 255
		if soft <= .05 || soft >= .95 || float64(result.pix[4*i+3])/255 <= .02 {
			continue
		}
		n++
		for c := range 3 {
			d := int(colours.pix[4*i+c]) - int(result.pix[4*i+c])
			sum += max(d, -d)
		}
	}
	if n <= 50 {
		return unknown
	}
	return Figure(float64(sum) / float64(3*n))
}

// reach is the number of pixels from the border of the subject that count as
// its edge.
const reach = 4

// nearBorder marks the pixels with both subject and background among those up
// to reach away, diagonals included.
func nearBorder(grey []uint8, width, height int) []bool {
	// The number of subject pixels in the window of each pixel, first across,
	// then down.
	across := make([]int32, len(grey))
	for y := range height {
		row := grey[y*width:][:width]
		slide(width, func(x int) int32 { return int32(row[x] >> 7) }, func(x int, n int32) { across[y*width+x] = n })
	}
	near := make([]bool, len(grey))
	for x := range width {
		wide := min(x+reach, width-1) - max(x-reach, 0) + 1
		slide(height, func(y int) int32 { return across[y*width+x] }, func(y int, n int32) {
			area := wide * (min(y+reach, height-1) - max(y-reach, 0) + 1)
			near[y*width+x] = n > 0 && int(n) < area
		})
	}
	return near
}

// slide gives set the sum of the values in each window of 2*reach+1.
func slide(n int, value func(int) int32, set func(int, int32)) {
	var sum int32
	for i := -reach; i < n; i++ {
		if i+reach < n {
			sum += value(i + reach)
		}
		if i-reach-1 >= 0 {
			sum -= value(i - reach - 1)
		}
		if i >= 0 {
			set(i, sum)
		}
	}
}
