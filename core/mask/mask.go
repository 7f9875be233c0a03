// Package mask works on a backend's answer before it meets the photo: it scales
// it, says how certain it is, and whether it shows a subject at all.
package mask

import "bgremover.pro/core/cutout"

// Uncertainty says how undecided a mask is: the mean of min(a, 1-a) over the
// picture, divided by the share of pixels with a above one half. It is 0 for a
// mask of pure black and white and 1 for one without a pixel above one half;
// below 0.06 ISNet's masks are rarely improved by a larger input.
func Uncertainty(m *cutout.Mask) float64 {
	undecided, subject := 0, 0
	for level, n := range histogram(m) {
		undecided += n * min(level, 255-level)
		if level > 127 {
			subject += n
		}
	}
	if subject == 0 {
		return 1
	}
	return float64(undecided) / 255 / float64(subject)
}

// histogram counts the pixels of each level.
func histogram(m *cutout.Mask) [256]int {
	var counts [256]int
	for _, level := range m.Pix {
		counts[level]++
	}
	return counts
}

// Empty says that a mask shows no subject: so few pixels are more subject than
// background that what there is must be a ghost.
func Empty(m *cutout.Mask) bool {
	solid := 0
	for level, n := range histogram(m) {
		if level > 127 {
			solid += n
		}
	}
	return solid*2000 < len(m.Pix)
}
