package main

import "bgremover.pro/core/cutout"

// compare returns the mean difference of two masks, 0 to 1, and how much their
// subjects overlap (intersection over union; 1 where there is no subject in
// either). Where their sizes differ, the nearest pixels are compared, at the
// size of the larger.
func compare(a, b *cutout.Mask) (difference, overlap float64) {
	if a.Width < b.Width {
		a, b = b, a
	}
	var sum, both, either float64
	for y := range a.Height {
		row := b.Pix[y*b.Height/a.Height*b.Width:]
		for x := range a.Width {
			p, q := a.Pix[y*a.Width+x], row[x*b.Width/a.Width]
			sum += max(float64(p)-float64(q), float64(q)-float64(p))
			if p > 127 && q > 127 {
				both++
			}
			if p > 127 || q > 127 {
				either++
			}
		}
	}
	if either == 0 {
		both, either = 1, 1
	}
	return sum / 255 / float64(len(a.Pix)), both / either
}
