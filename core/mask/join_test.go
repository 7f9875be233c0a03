package mask_test

import (
	"bytes"
	"context"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/mask"
)

func join(t fatal, views ...*cutout.Mask) (*cutout.Mask, float64) {
	m, uncertainty, err := mask.Join(context.Background(), views)
	if err != nil {
		t.Fatal(err)
	}
	return m, uncertainty
}

// What one of several views omits, the others bring back; what the largest sees
// alone stays a hint, and a certain mask's edge is the largest view's.
func TestViewsCompleteEachOther(t *testing.T) {
	const size = 100
	at := func(size int, levels ...uint8) *cutout.Mask { // levels of ten columns each
		m := &cutout.Mask{Width: size, Height: size}
		for range size {
			for x := range size {
				m.Pix = append(m.Pix, levels[x*len(levels)/size])
			}
		}
		return m
	}
	small, large := at(50, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0), at(size, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0)
	for name, c := range map[string]struct {
		views []*cutout.Mask
		want  []uint8 // at the middle of each tenth
	}{
		"alike":                {[]*cutout.Mask{small, large}, []uint8{255, 255, 255, 255, 255, 255, 255, 255, 0, 0}},
		"one omits":            {[]*cutout.Mask{at(50, 255, 0, 255, 255, 255, 255, 255, 255, 0, 0), large, large}, []uint8{255, 242, 255, 255, 255, 255, 255, 255, 0, 0}},
		"one of three invents": {[]*cutout.Mask{small, large, at(size, 255, 255, 255, 255, 255, 255, 255, 255, 0, 255)}, []uint8{255, 255, 255, 255, 255, 255, 255, 255, 0, 64}},
	} {
		got, _ := join(t, c.views...)
		for i, want := range c.want {
			if level := got.Pix[size*50+i*10+5]; max(level, want)-min(level, want) > 2 {
				t.Errorf("%s: tenth %d has level %d, not %d", name, i, level, want)
			}
		}
	}
}

// A certain mask does not change; a ghost becomes solid.
func TestWhatIsHintedAtBecomesSolid(t *testing.T) {
	certain := blocks([2]int{0, 500}, [2]int{128, 5}, [2]int{255, 495})
	if got, u := join(t, certain); !bytes.Equal(got.Pix, certain.Pix) || u > 0.01 {
		t.Errorf("a certain mask changed, or its uncertainty is %v", u)
	}
	ghost := blocks([2]int{0, 600}, [2]int{4, 100}, [2]int{40, 200}, [2]int{140, 100})
	got, u := join(t, ghost)
	if u < 0.3 || got.Pix[0] != 0 || got.Pix[650*1000] > 60 || got.Pix[750*1000] != 255 || got.Pix[950*1000] != 255 {
		t.Errorf("uncertainty %.2f: levels %d, %d, %d, %d", u, got.Pix[0], got.Pix[650*1000], got.Pix[750*1000], got.Pix[950*1000])
	}
}

// A mask of any levels stays in order, all 0 stays all 0, and all 255 all 255.
func TestJoinKeepsTheOrderOfLevels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMask(t, 20)
		before := bytes.Clone(m.Pix)
		got, u := join(t, m)
		if u < 0 || u > 255 || !bytes.Equal(before, m.Pix) {
			t.Fatalf("uncertainty %v, or its view was changed", u)
		}
		for i, a := range before {
			for j, b := range before {
				if a <= b && got.Pix[i] > got.Pix[j] {
					t.Fatalf("level %d became %d, %d became %d", a, got.Pix[i], b, got.Pix[j])
				}
			}
			if (a == 0) != (got.Pix[i] == 0) || a == 255 && got.Pix[i] != 255 {
				t.Fatalf("level %d became %d", a, got.Pix[i])
			}
		}
	})
}
