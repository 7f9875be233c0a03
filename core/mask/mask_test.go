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

func TestShows(t *testing.T) {
	speck := blocks([2]int{0, 1000})
	for i := range 15 {
		speck.Pix[i] = 255
	}
	bird := blocks([2]int{0, 1000})
	for i := range 30 {
		bird.Pix[i] = 60
	}
	for name, c := range map[string]struct {
		m    *cutout.Mask
		want bool
	}{
		"black":             {blocks([2]int{0, 1000}), false},
		"white":             {blocks([2]int{255, 1000}), true},
		"haze over a sky":   {blocks([2]int{0, 935}, [2]int{40, 65}), false},
		"a speck":           {speck, false},
		"a hint of a bird":  {bird, true},
		"a ghost of a body": {blocks([2]int{0, 900}, [2]int{90, 100}), true},
	} {
		if got := mask.Shows(c.m); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestMirror(t *testing.T) {
	m := &cutout.Mask{Width: 3, Height: 2, Pix: []uint8{1, 2, 3, 4, 5, 6}}
	mask.Mirror(m)
	if !bytes.Equal(m.Pix, []uint8{3, 2, 1, 6, 5, 4}) {
		t.Error(m.Pix)
	}
}
