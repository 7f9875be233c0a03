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

// What a mask shows of a photo without a subject is grey: a haze over sky or
// texture, ISNet's hardly ever above nine tenths. A subject, however small and
// soft, has a core: of the pixels that show at all, half or more in ordinary
// photos, one in ten in the smallest that are found.
const (
	shows, solid = 26, 230 // levels: a tenth, nine tenths
	// coreShare is the least share of solid pixels among those that show.
	coreShare = 0.1
	// speck is the share of the picture up to which solid pixels are nothing.
	speck = 1.0 / 50000
)

// Empty says that a mask shows no subject: nothing, a speck, or a ghost without
// a solid core.
func Empty(m *cutout.Mask) bool {
	shown, core := 0, 0
	for level, n := range histogram(m) {
		if level >= shows {
			shown += n
		}
		if level >= solid {
			core += n
		}
	}
	return float64(core) <= speck*float64(len(m.Pix)) || float64(core) < coreShare*float64(shown)
}
