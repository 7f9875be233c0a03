package mask_test

import (
	"bytes"
	"math"
	"testing"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/mask"
)

// blocks makes a 1000x1000 mask of full rows: so many of each level.
func blocks(rows ...[2]int) *cutout.Mask {
	m := &cutout.Mask{Width: 1000, Height: 1000, Pix: make([]uint8, 0, 1000*1000)}
	for _, r := range rows {
		m.Pix = append(m.Pix, bytes.Repeat([]uint8{uint8(r[0])}, 1000*r[1])...)
	}
	return m
}

func TestUncertainty(t *testing.T) {
	for name, c := range map[string]struct {
		m    *cutout.Mask
		want float64
	}{
		"black and white":              {blocks([2]int{0, 500}, [2]int{255, 500}), 0},
		"no pixel above one half":      {blocks([2]int{0, 500}, [2]int{127, 500}), 1},
		"a tenth undecided by a fifth": {blocks([2]int{0, 500}, [2]int{51, 100}, [2]int{255, 400}), 0.02 / 0.4},
		"half of it undecided":         {blocks([2]int{0, 500}, [2]int{204, 500}), 0.1 / 0.5},
	} {
		if got := mask.Uncertainty(c.m); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// The shares are those measured on ISNet's masks.
func TestEmpty(t *testing.T) {
	speck := blocks([2]int{0, 1000})
	for i := range 15 {
		speck.Pix[i] = 255
	}
	bird := blocks([2]int{0, 1000})
	for i := range 300 {
		bird.Pix[i] = uint8(26 + 229*(i%2))
	}
	for name, c := range map[string]struct {
		m    *cutout.Mask
		want bool
	}{
		"black":                {blocks([2]int{0, 1000}), true},
		"white":                {blocks([2]int{255, 1000}), false},
		"haze over a sky":      {blocks([2]int{0, 935}, [2]int{90, 51}, [2]int{140, 14}), true},
		"ghost with a spark":   {blocks([2]int{0, 941}, [2]int{100, 45}, [2]int{150, 12}, [2]int{235, 2}), true},
		"a speck":              {speck, true},
		"a bird in the sky":    {bird, false},
		"hair, half of it":     {blocks([2]int{0, 549}, [2]int{120, 211}, [2]int{250, 240}), false},
		"an ordinary portrait": {blocks([2]int{0, 600}, [2]int{128, 40}, [2]int{255, 360}), false},
	} {
		if got := mask.Empty(c.m); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
