package video

import (
	"math/rand/v2"
	"testing"

	"bgremover.pro/core/cutout"
)

const width, height = 320, 180

// scene draws a frame: a bright square at x on grey, with noise of both signs.
func scene(random *rand.Rand, x, noise int) *cutout.Photo {
	p := &cutout.Photo{Width: width, Height: height, Opaque: true, Pix: make([]uint8, 4*width*height)}
	for i := range width * height {
		level := 90
		if inside(i, x) {
			level = 200
		}
		if noise > 0 {
			level += random.IntN(2*noise+1) - noise
		}
		p.Pix[4*i], p.Pix[4*i+1], p.Pix[4*i+2], p.Pix[4*i+3] = uint8(level), uint8(level), uint8(level), 255
	}
	return p
}

func inside(i, x int) bool {
	px, py := i%width, i/width
	return px >= x && px < x+60 && py >= 60 && py < 120
}

// shape is what a model that is not sure of itself finds.
func shape(random *rand.Rand, x, flicker int) *cutout.Mask {
	m := &cutout.Mask{Width: width, Height: height, Pix: make([]uint8, width*height)}
	for i := range m.Pix {
		if inside(i, x) {
			m.Pix[i] = 255
		}
		if px, py := i%width, i/width; px >= x-4 && px < x+64 && py >= 56 && py < 124 && (px < x+4 || px >= x+56 || py < 64 || py >= 116) {
			m.Pix[i] = uint8(128 - flicker + random.IntN(2*flicker+1))
		}
	}
	return m
}

// unrest is the mean change of alpha from one frame to the next, of pixels that
// changed at all in the raw masks.
func unrest(frames []*cutout.Mask) float64 {
	sum, n := 0, 0
	for k := 1; k < len(frames); k++ {
		for i, a := range frames[k].Pix {
			if b := frames[k-1].Pix[i]; a != b {
				sum += max(int(a)-int(b), int(b)-int(a))
			}
		}
		n++
	}
	return float64(sum) / float64(n)
}

func TestAStillSceneIsSteady(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := newSmoother(width, height)
	var raw, steady []*cutout.Mask
	for range 60 {
		m := shape(random, 100, 60)
		raw = append(raw, &cutout.Mask{Width: width, Height: height, Pix: append([]uint8{}, m.Pix...)})
		s.smooth(scene(random, 100, 12), m)
		steady = append(steady, m)
	}
	before, after := unrest(raw[20:]), unrest(steady[20:])
	if after > before/5 {
		t.Errorf("the mask changes by %.0f a frame, instead of %.0f", after, before)
	}
}

// TestMotionLeavesNoTrail: where the square was and where it comes to, alpha is the
// frame's own at once, whether it moves fast or slowly, after a time of rest.
func TestMotionLeavesNoTrail(t *testing.T) {
	for _, step := range []int{1, 3, 12} {
		random := rand.New(rand.NewPCG(1, 2))
		s := newSmoother(width, height)
		for range 20 {
			s.smooth(scene(random, 40, 8), shape(random, 40, 10))
		}
		for k := 1; k <= 12; k++ {
			x := 40 + step*k
			m, want := shape(random, x, 10), 0
			own := append([]uint8{}, m.Pix...)
			s.smooth(scene(random, x, 8), m)
			for i := range own {
				// Solid before and empty now, or the other way about.
				if d := int(own[i]) - int(m.Pix[i]); own[i] == 0 && d < -64 || own[i] == 255 && d > 64 {
					want++
				}
			}
			if want > 0 {
				t.Errorf("%d pixels a frame, frame %d: %d pixels trail", step, k, want)
			}
		}
	}
}

func TestACutShowsTheNewSceneAtOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := newSmoother(width, height)
	for range 20 {
		s.smooth(scene(random, 40, 4), shape(random, 40, 10))
	}
	other := scene(random, 200, 4)
	for i := range other.Pix {
		other.Pix[i] = 255 - other.Pix[i]
	}
	m := shape(random, 200, 10)
	own := append([]uint8{}, m.Pix...)
	s.smooth(other, m)
	for i := range own {
		if own[i] != m.Pix[i] {
			t.Fatalf("pixel %d is %d instead of %d", i, m.Pix[i], own[i])
		}
	}
}

func TestFramesOfAnySize(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 500}, {500, 1}, {239, 241}, {1000, 3}} {
		s := newSmoother(size[0], size[1])
		p := &cutout.Photo{Width: size[0], Height: size[1], Pix: make([]uint8, 4*size[0]*size[1])}
		for level := range 3 {
			m := &cutout.Mask{Width: size[0], Height: size[1], Pix: make([]uint8, size[0]*size[1])}
			for i := range m.Pix {
				m.Pix[i] = uint8(100 * level)
			}
			s.smooth(p, m)
			if want := []uint8{0, 50, 100}[level]; m.Pix[len(m.Pix)-1] != want {
				t.Errorf("%v, frame %d: %d instead of the mean, %d", size, level, m.Pix[len(m.Pix)-1], want)
			}
		}
	}
}
