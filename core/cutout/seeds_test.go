package cutout_test

import (
	"slices"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
)

func TestPoints(t *testing.T) {
	for s, want := range map[string][]cutout.Point{
		"":               nil,
		";;":             nil,
		"120,80;300.5,0": {{X: 120, Y: 80}, {X: 300.5}},
		"50%, 20% ;":     {{X: 50, Y: 20, Percent: true}},
	} {
		if got, err := cutout.ParsePoints("keep", s); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"1", "1,", "a,b", "1,2%", "-1,2", "NaN,1", "Inf,1", "1,2,3", strings.Repeat("1,1;", 1001)} {
		if got, err := cutout.ParsePoints("keep", s); cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(cutout.MessageOf(err), "keep") {
			t.Errorf("%.20q: %v, %v", s, got, err)
		}
	}
}

func TestSeedsWithinACell(t *testing.T) {
	s := &cutout.Seeds{Width: 4, Height: 2, Pix: []cutout.Seed{1, 0, 2, 2, 0, 0, 2, 1}}
	for _, c := range []struct {
		x, y, width, height int
		want                cutout.Seed
	}{
		{0, 0, 2, 1, cutout.Keep}, {1, 0, 2, 1, cutout.Remove}, {0, 0, 4, 2, cutout.Keep},
		{1, 0, 4, 2, cutout.Undecided}, {7, 3, 8, 4, cutout.Keep}, {0, 0, 1, 1, cutout.Remove},
	} {
		if got := s.Within(c.x, c.y, c.width, c.height); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	if !(*cutout.Seeds)(nil).Empty() || !(&cutout.Seeds{Width: 1, Height: 1, Pix: make([]cutout.Seed, 1)}).Empty() || s.Empty() {
		t.Error("which are empty is wrong")
	}
}

func TestBoxes(t *testing.T) {
	if b, err := cutout.ParseBox(""); b != nil || err != nil {
		t.Errorf("nothing: %v, %v", b, err)
	}
	percent := func(v float64) cutout.Length { return cutout.Length{Value: v, Percent: true} }
	want := cutout.Region{Left: percent(10), Top: percent(20), Right: percent(50), Bottom: cutout.Length{Value: 90.5}}
	if b, err := cutout.ParseBox("10%, 20%,50%,90.5"); err != nil || *b != want {
		t.Errorf("%v, %v", b, err)
	}
	for _, s := range []string{"1,2,3", "1,2,3,4,5", "a,b,c,d", "NaN,1,2,3", "1,2;3,4", ",,,", "-1,0,5,5"} {
		if b, err := cutout.ParseBox(s); cutout.CodeOf(err) != cutout.Invalid {
			t.Errorf("%q: %v, %v", s, b, err)
		}
	}
}
