package bench

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// opaque makes a picture without alpha of grey samples, transparent one of
// black with them as alpha.
func opaque(width int, grey ...uint8) *pixels {
	p := &pixels{width: width, height: len(grey) / width}
	for _, v := range grey {
		p.pix = append(p.pix, v, v, v, 255)
	}
	return p
}

func transparent(width int, alpha ...uint8) *pixels {
	p := &pixels{width: width, height: len(alpha) / width, transparent: true}
	for _, v := range alpha {
		p.pix = append(p.pix, 0, 0, 0, v)
	}
	return p
}

func near(t *testing.T, what string, got, want Figure) {
	t.Helper()
	if got.Known() != want.Known() || got.Known() && math.Abs(float64(got-want)) > 1e-9 {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestCompareByHand(t *testing.T) {
	cases := map[string]struct {
		truth, result *pixels
		want          Quality
	}{
		"the truth itself": {opaque(2, 0, 255), transparent(2, 0, 255), Quality{0, 0, 1, 0, unknown}},
		"its opposite":     {opaque(2, 0, 255), transparent(2, 255, 0), Quality{1000, 1000, 0, 1000, unknown}},
		// Off by 51/255 = 0.2 in one of four; all lie near the border.
		"a little off": {opaque(4, 0, 0, 255, 255), transparent(4, 51, 0, 255, 255), Quality{50, 10, 1, 50, unknown}},
		// 128 counts as subject, 127 does not: one shared of two in either.
		"just half": {opaque(3, 128, 127, 127), transparent(3, 128, 128, 127),
			Quality{Figure(1000. / 255 / 3), Figure(1000. / 255 / 255 / 3), .5, Figure(1000. / 255 / 3), unknown}},
		// No border, nothing soft, no subject.
		"nothing there": {opaque(3, 0, 0, 0), transparent(3, 0, 0, 51), Quality{Figure(200. / 3), Figure(40. / 3), 0, unknown, unknown}},
		// The error is five pixels from the border, the edge is not in it.
		"far from the edge": {opaque(10, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255), transparent(10, 255, 0, 0, 0, 0, 0, 255, 255, 255, 255),
			Quality{100, 100, .8, 0, unknown}},
		// A result without alpha is a mask itself.
		"a grey mask": {opaque(2, 0, 255), opaque(2, 0, 255), Quality{0, 0, 1, 0, unknown}},
		// A result of another size is scaled.
		"twice as large": {opaque(1, 255), transparent(2, 255, 255, 255, 255), Quality{0, 0, 1, unknown, unknown}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := Compare(c.truth, nil, c.result)
			near(t, "MAD", got.MAD, c.want.MAD)
			near(t, "MSE", got.MSE, c.want.MSE)
			near(t, "IoU", got.IoU, c.want.IoU)
			near(t, "edge", got.Edge, c.want.Edge)
			near(t, "fg", got.Foreground, c.want.Foreground)
		})
	}
}

func TestColourErrorNeedsFiftyPixels(t *testing.T) {
	for n, want := range map[int]Figure{50: unknown, 51: 10} {
		soft := make([]uint8, n)
		for i := range soft {
			soft[i] = 128
		}
		truth, colours, result := opaque(n, soft...), transparent(n, soft...), transparent(n, soft...)
		for i := range n {
			colours.pix[4*i], colours.pix[4*i+1] = 25, 5 // 25, 5 and 0 off: 10 on average
		}
		near(t, "fg", Compare(truth, colours, result).Foreground, want)
		// What the result does not show has no colour to judge.
		result.pix[3] = 5
		if got := Compare(truth, colours, result).Foreground; got.Known() {
			t.Errorf("with %d pixels to be seen: fg %v", n-1, got)
		}
	}
}

// The border by looking at every window.
func TestNearBorder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(1, 24).Draw(t, "width"), rapid.IntRange(1, 24).Draw(t, "height")
		grey := rapid.SliceOfN(rapid.SampledFrom([]uint8{0, 127, 128, 255}), width*height, width*height).Draw(t, "grey")
		if rapid.Bool().Draw(t, "sparse") {
			clear(grey[1:])
		}
		got := nearBorder(grey, width, height)
		for y := range height {
			for x := range width {
				low, high := false, false
				for v := max(0, y-4); v <= min(height-1, y+4); v++ {
					for u := max(0, x-4); u <= min(width-1, x+4); u++ {
						low, high = low || grey[v*width+u] <= 127, high || grey[v*width+u] > 127
					}
				}
				if got[y*width+x] != (low && high) {
					t.Fatalf("at %d,%d of %dx%d: %v", x, y, width, height, got[y*width+x])
				}
			}
		}
	})
}

func TestGreyWeighsColours(t *testing.T) {
	p := &pixels{width: 4, height: 1, pix: []uint8{255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 0}}
	want := []uint8{76, 150, 29, 255}
	for i, v := range p.grey() {
		if v != want[i] {
			t.Errorf("sample %d is %d, want %d", i, v, want[i])
		}
	}
}
