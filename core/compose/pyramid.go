package compose

import (
	"context"
	"math"

	"bgremover.pro/core/cutout"
)

// baseArea is about how many pixels the pyramid's finest level has, whatever the
// photo's shape, as memory goes with them. Subject and background colours vary
// slowly compared with alpha, so a finer one gains nothing; the last step works
// on the photo's own pixels anyway.
const baseArea = 1024 * 768

// level is one level of the pyramid: the photo and its alpha, reduced, and the
// two colours that each pixel is taken to be a mixture of.
type level struct {
	width, height int
	pix           []sample
	colours       []colours
	// mixed marks the pixels whose colours are worked on: those neither wholly
	// subject nor wholly background, and those around them.
	mixed []bool
}

// sample is the mean colour and alpha, 0 to 1, of those source pixels of a
// block that have a colour: known says whether any has, 1 or 0.
type sample struct {
	rgb
	a, known float32
}

// colours are the estimated colours of subject and background.
type colours struct{ subject, background rgb }

// blockSide is how many photo pixels a side the finest level averages.
func blockSide(photo *cutout.Photo) int {
	return max(1, int(math.Round(math.Sqrt(float64(photo.Width)*float64(photo.Height)/baseArea))))
}

// pyramid reduces photo and alpha to its finest level, which comes first, and
// that by halves down to a single pixel.
func pyramid(ctx context.Context, photo *cutout.Photo, alpha *cutout.Mask) ([]*level, error) {
	block := blockSide(photo)
	l := newLevel(ceil(photo.Width, block), ceil(photo.Height, block))
	err := cutout.Rows(ctx, l.height, func(from, to int) {
		for y := from; y < to; y++ {
			l.reduce(photo, alpha, block, y)
		}
	})
	if err != nil {
		return nil, err
	}
	levels := []*level{l}
	for l.width > 1 || l.height > 1 {
		l = l.halved()
		levels = append(levels, l)
	}
	return levels, ctx.Err()
}

func newLevel(width, height int) *level {
	return &level{
		width: width, height: height,
		pix: make([]sample, width*height), colours: make([]colours, width*height),
	}
}

// reduce averages blocks of pixels into row y.
func (l *level) reduce(photo *cutout.Photo, alpha *cutout.Mask, block, y int) {
	top, bottom := y*block, min((y+1)*block, photo.Height)
	for x := range l.width {
		left, right := x*block, min((x+1)*block, photo.Width)
		p := &l.pix[y*l.width+x]
		if a, ok := plain(alpha, left, top, right, bottom); ok {
			// Nothing is estimated here, so one pixel speaks for the block.
			i := (top+bottom)/2*photo.Width + (left+right)/2
			if q := photo.Pix[4*i : 4*i+4 : 4*i+4]; q[3] == 255 {
				*p = sample{toRGB(q), a, 1}
				continue
			}
		}
		*p = average(photo, alpha, left, top, right, bottom)
	}
}

// plain says whether alpha is the same, 0 or 1, all over a block.
func plain(alpha *cutout.Mask, left, top, right, bottom int) (float32, bool) {
	first := alpha.Pix[top*alpha.Width+left]
	if first != 0 && first != 255 {
		return 0, false
	}
	for y := top; y < bottom; y++ {
		for _, v := range alpha.Pix[y*alpha.Width+left : y*alpha.Width+right] {
			if v != first {
				return 0, false
			}
		}
	}
	return float32(first) / 255, true
}

func average(photo *cutout.Photo, alpha *cutout.Mask, left, top, right, bottom int) sample {
	var r, g, b, a, n int
	for y := top; y < bottom; y++ {
		start, end := y*photo.Width+left, y*photo.Width+right
		pix := photo.Pix[4*start : 4*end]
		for i, m := range alpha.Pix[start:end] {
			p := pix[4*i : 4*i+4 : 4*i+4]
			if p[3] < 255 {
				if p[3] == 0 {
					continue
				}
				m = 255 // what the source itself made transparent has its true colour
			}
			r += int(p[0])
			g += int(p[1])
			b += int(p[2])
			a += int(m)
			n++
		}
	}
	if n == 0 {
		return sample{}
	}
	s := 1 / float32(255*n)
	return sample{rgb{float32(r) * s, float32(g) * s, float32(b) * s}, float32(a) * s, 1}
}

// halved averages two by two pixels.
func (l *level) halved() *level {
	h := newLevel(ceil(l.width, 2), ceil(l.height, 2))
	for y := range h.height {
		for x := range h.width {
			var sum sample
			for j := 2 * y; j < min(2*y+2, l.height); j++ {
				for i := 2 * x; i < min(2*x+2, l.width); i++ {
					p := l.pix[j*l.width+i]
					sum.rgb = sum.plus(p.known, p.rgb)
					sum.a += p.known * p.a
					sum.known += p.known
				}
			}
			if sum.known > 0 {
				s := 1 / sum.known
				h.pix[y*h.width+x] = sample{rgb{}.plus(s, sum.rgb), s * sum.a, 1}
			}
		}
	}
	return h
}

func ceil(n, by int) int { return (n + by - 1) / by }
