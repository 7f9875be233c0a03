package refine_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/refine"
	"pgregory.net/rapid"
)

// scene is a disc of one colour on another, with noise, the true alpha of the
// disc, and a mask of it as a model of far fewer pixels would give.
func scene(width, height int) (*cutout.Photo, []float64, *cutout.Mask) {
	photo := &cutout.Photo{Width: width, Height: height, Pix: make([]uint8, 4*width*height), Opaque: true}
	m := &cutout.Mask{Width: width, Height: height, Pix: make([]uint8, width*height)}
	truth := make([]float64, width*height)
	noise := rand.New(rand.NewPCG(1, 2))
	subject, background := [3]float64{180, 60, 40}, [3]float64{90, 140, 200}
	radius, soft := float64(min(width, height))/3, float64(max(width, height))/100
	for i := range truth {
		d := math.Hypot(float64(i%width-width/2), float64(i/width-height/2))
		truth[i] = max(0, min(1, radius-d+0.5))
		// The mask's disc is a little too large, and its edge wide.
		m.Pix[i] = uint8(255*max(0, min(1, (radius-d)/(2*soft)+0.65)) + 0.5)
		for c := range 3 {
			v := subject[c]*truth[i] + background[c]*(1-truth[i]) + noise.NormFloat64()*3
			photo.Pix[4*i+c] = uint8(max(0, min(255, v+0.5)))
		}
		photo.Pix[4*i+3] = 255
	}
	return photo, truth, m
}

func deepen(photo *cutout.Photo) *cutout.Photo {
	deep := *photo
	deep.Deep = nil
	for _, v := range photo.Pix {
		deep.Deep = append(deep.Deep, uint16(v)*257)
	}
	return &deep
}

// apart is the mean difference from the truth, in levels.
func apart(m *cutout.Mask, truth []float64) float64 {
	sum := 0.0
	for i, v := range m.Pix {
		sum += math.Abs(float64(v) - 255*truth[i])
	}
	return sum / float64(len(truth))
}

func mustRefine(t interface{ Fatal(...any) }, photo *cutout.Photo, m *cutout.Mask) *cutout.Mask {
	alpha, err := refine.Refine(context.Background(), photo, m)
	if err != nil {
		t.Fatal(err)
	}
	return alpha
}

func TestRefineFindsTheEdge(t *testing.T) {
	for _, size := range [][2]int{{300, 200}, {1000, 1000}, {1500, 2300}} {
		photo, truth, m := scene(size[0], size[1])
		before, after := apart(m, truth), apart(mustRefine(t, photo, m), truth)
		if after > before/2 {
			t.Errorf("%v: %.2f levels off, the plain mask %.2f", size, after, before)
		}
	}
}

func TestRefineKeepsThinStructures(t *testing.T) {
	const size, wire = 2048, 3
	photo := &cutout.Photo{Width: size, Height: size, Pix: bytes.Repeat([]uint8{220, 220, 215, 255}, size*size), Opaque: true}
	m := &cutout.Mask{Width: size, Height: size, Pix: make([]uint8, size*size)}
	for y := range size {
		for x := 1002; x < 1022; x++ { // the model sees a wide, soft wire
			m.Pix[y*size+x] = uint8(220 - 22*max(x-1012, 1012-x))
		}
		for x := 1010; x < 1010+wire; x++ {
			copy(photo.Pix[4*(y*size+x):], []uint8{30, 32, 35})
		}
	}
	alpha := mustRefine(t, photo, m)
	row := alpha.Pix[1000*size:][:size]
	if wire, beside := row[1011], max(row[1005], row[1018]); wire < 200 || beside > 20 {
		t.Errorf("the wire is %d, what lies beside it %d: %v", wire, beside, row[990:1032])
	}
}

// A mask far coarser than the photo reaches well beyond an edge between two plain
// colours: nothing of it may stay there, not even a faint rim.
func TestRefineLeavesNothingBesideAnEdge(t *testing.T) {
	const size, from, to, soft = 320, 80, 240, 5
	photo := &cutout.Photo{Width: size, Height: size, Pix: bytes.Repeat([]uint8{20, 200, 30, 255}, size*size), Opaque: true}
	m := &cutout.Mask{Width: size, Height: size, Pix: make([]uint8, size*size)}
	inside := func(x, reach int) float64 { // 0 to 1
		return max(0, min(1, float64(min(x-from, to-1-x)+reach)/soft))
	}
	for y := range size {
		for x := range size {
			m.Pix[y*size+x] = uint8(255 * min(inside(x, 3), inside(y, 3)))
			if x >= from && x < to && y >= from && y < to {
				copy(photo.Pix[4*(y*size+x):], []uint8{220, 30, 20, 255})
			}
		}
	}
	alpha := mustRefine(t, photo, m)
	for i, v := range alpha.Pix {
		x, y := i%size, i/size
		if (x < from-1 || x > to || y < from-1 || y > to) && v > 3 {
			t.Fatalf("(%d,%d) is %d, in the mask %d: %v", x, y, v, m.Pix[i], alpha.Pix[y*size:][:size])
		}
	}
}

func anyScene(t *rapid.T) (*cutout.Photo, *cutout.Mask) {
	w, h := rapid.IntRange(1, 60).Draw(t, "width"), rapid.IntRange(1, 60).Draw(t, "height")
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	photo := &cutout.Photo{Width: w, Height: h, Pix: make([]uint8, 4*w*h)}
	m := &cutout.Mask{Width: w, Height: h, Pix: make([]uint8, w*h)}
	grain := rapid.SampledFrom([]int{1, 64, 255}).Draw(t, "grain")
	for i := range photo.Pix {
		photo.Pix[i] = uint8(random.IntN(256) / grain * grain)
	}
	for i := range m.Pix {
		m.Pix[i] = uint8(min(255, max(0, random.IntN(500)-120)))
	}
	return photo, m
}

func TestRefineLeavesTheCertainAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		photo, m := anyScene(t)
		if rapid.Bool().Draw(t, "deep") {
			photo = deepen(photo)
		}
		alpha := mustRefine(t, photo, m)
		for i, v := range m.Pix {
			if d := int(v) - int(alpha.Pix[i]); (v <= 2 || v >= 253) && (d < -1 || d > 1) {
				t.Fatalf("sample %d went from %d to %d", i, v, alpha.Pix[i])
			}
		}
	})
}

func TestRefineIsTheSameOnAnyNumberOfProcessors(t *testing.T) {
	photo, _, m := scene(700, 500)
	want := mustRefine(t, photo, m)
	for _, n := range []int{1, 3, 8} {
		before := runtime.GOMAXPROCS(n)
		got := mustRefine(t, photo, m)
		runtime.GOMAXPROCS(before)
		if !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%d processors give another matte", n)
		}
	}
}

func TestRefineOfDeepPhotos(t *testing.T) {
	photo, _, m := scene(300, 200)
	shallow, deep := mustRefine(t, photo, m), mustRefine(t, deepen(photo), m)
	if shallow.Deep != nil || len(deep.Deep) != len(m.Pix) {
		t.Fatalf("%d deep samples of an eight bit photo, %d of a deep one", len(shallow.Deep), len(deep.Deep))
	}
	between := 0
	for i, v := range deep.Deep {
		if d := float64(v)/257 - float64(shallow.Pix[i]); math.Abs(d) > 0.6 {
			t.Fatalf("sample %d: %d deep, %d shallow", i, v, shallow.Pix[i])
		}
		if v%257 != 0 {
			between++
		}
	}
	if between == 0 {
		t.Error("the deep matte has no more than eight bits")
	}
}

// A photo of one colour gives no information: the mask is kept. Masks of one level and
// extreme shapes have no edge to find.
func TestRefineOfWhatHasNoEdge(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 20000}, {20000, 1}, {2, 3}, {640, 480}} {
		n := size[0] * size[1]
		photo := &cutout.Photo{Width: size[0], Height: size[1], Pix: bytes.Repeat([]uint8{120, 130, 140, 255}, n)}
		ramp := make([]uint8, n)
		for i := range ramp {
			ramp[i] = uint8(i)
		}
		for name, levels := range map[string][]uint8{
			"none": make([]uint8, n), "full": bytes.Repeat([]uint8{255}, n),
			"half": bytes.Repeat([]uint8{128}, n), "ramp": ramp,
		} {
			m := &cutout.Mask{Width: size[0], Height: size[1], Pix: slices.Clone(levels)}
			alpha := mustRefine(t, photo, m)
			if !bytes.Equal(alpha.Pix, levels) {
				t.Errorf("%v, %s: the mask changed", size, name)
			}
			if !bytes.Equal(m.Pix, levels) {
				t.Errorf("%v, %s: the argument changed", size, name)
			}
		}
	}
}

func TestRefineRefuses(t *testing.T) {
	photo, _, m := scene(30, 20)
	if _, err := refine.Refine(t.Context(), photo, &cutout.Mask{Width: 20, Height: 30, Pix: make([]uint8, 600)}); cutout.CodeOf(err) != cutout.Internal {
		t.Errorf("a mask of another size: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := refine.Refine(ctx, photo, m); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}

func BenchmarkRefine(b *testing.B) {
	photo, _, m := scene(4032, 3024)
	b.ReportAllocs()
	for b.Loop() {
		mustRefine(b, photo, m)
	}
}
