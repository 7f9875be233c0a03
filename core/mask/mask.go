// Package mask processes a backend's masks before they are applied to the photo: it
// joins those of several views, measures their uncertainty, makes faint parts solid,
// and scales the result.
package mask

import (
	"slices"

	"bgremover.pro/core/cutout"
)

// Uncertainty says how undecided a mask is: the mean of min(a, 1-a) over the
// picture, divided by the share of pixels with a above one half. It is 0 for a
// mask of pure black and white, and 1 for one without a pixel above one half.
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

// Mirror flips a mask left to right, in place.
func Mirror(m *cutout.Mask) {
	for y := range m.Height {
		slices.Reverse(m.Pix[y*m.Width:][:m.Width])
	}
}

const (
	// shows is the level, a fifth, that masks of sky or texture hardly ever exceed.
	shows = 51
	// speck is the share of the picture up to which visible pixels are ignored.
	speck = 1.0 / 50000
)

// Shows reports whether a mask shows anything at all.
func Shows(m *cutout.Mask) bool {
	n := 0
	for _, level := range m.Pix {
		if level > shows {
			n++
		}
	}
	return float64(n) > speck*float64(len(m.Pix))
}

// Harden makes each pixel wholly subject or wholly background, in place.
func Harden(m *cutout.Mask) {
	for i, v := range m.Pix {
		m.Pix[i] = 255 * (v >> 7)
	}
	for i, v := range m.Deep {
		m.Deep[i] = 65535 * (v >> 15)
	}
}
