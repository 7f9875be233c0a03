package compose_test

import (
	"bytes"
	"context"
	"errors"
	"image/color"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"bgremover.pro/core/compose"
	"bgremover.pro/core/cutout"
	"pgregory.net/rapid"
)

// mixture is a subject of one colour over a background of another, mixed by a
// soft disc's alpha.
func mixture(width, height int, subject, background [3]float64) (*cutout.Photo, *cutout.Mask) {
	photo := &cutout.Photo{Width: width, Height: height, Pix: make([]uint8, 4*width*height), Opaque: true}
	alpha := &cutout.Mask{Width: width, Height: height, Pix: make([]uint8, width*height)}
	for i := range alpha.Pix {
		d := math.Hypot(float64(i%width-width/2), float64(i/width-height/2))
		alpha.Pix[i] = uint8(255 * max(0, min(1, 2-6*d/float64(max(width, height)))))
		a := float64(alpha.Pix[i]) / 255
		for c := range 3 {
			photo.Pix[4*i+c] = uint8(subject[c]*a + background[c]*(1-a) + 0.5)
		}
		photo.Pix[4*i+3] = 255
	}
	return photo, alpha
}

func deepen(photo *cutout.Photo) *cutout.Photo {
	deep := &cutout.Photo{Width: photo.Width, Height: photo.Height, Pix: bytes.Clone(photo.Pix), Opaque: photo.Opaque}
	for _, v := range photo.Pix {
		deep.Deep = append(deep.Deep, uint16(v)*257)
	}
	return deep
}

func mustCut(t interface{ Fatal(...any) }, photo *cutout.Photo, alpha *cutout.Mask, trueColours bool) {
	if err := compose.Cutout(context.Background(), photo, alpha, trueColours); err != nil {
		t.Fatal(err)
	}
}

func TestCutoutFindsTheSubjectsColour(t *testing.T) {
	subject, background := [3]float64{210, 70, 30}, [3]float64{20, 160, 240}
	for _, size := range [][2]int{{40, 30}, {600, 900}, {3000, 1000}} {
		photo, alpha := mixture(size[0], size[1], subject, background)
		mustCut(t, photo, alpha, true)
		off, n := 0.0, 0.0
		for i, a := range alpha.Pix {
			if photo.Pix[4*i+3] != a {
				t.Fatalf("%v: alpha %d became %d", size, a, photo.Pix[4*i+3])
			}
			if a > 12 && a < 255 {
				for c := range 3 {
					off += math.Abs(float64(photo.Pix[4*i+c]) - subject[c])
					n++
				}
			}
		}
		if off/n > 6 {
			t.Errorf("%v: colours are %.1f levels off", size, off/n)
		}
	}
}

// anyPhoto and anyAlpha are noise: nothing to estimate well, much to get wrong.
func anyPhoto(t *rapid.T) (*cutout.Photo, *cutout.Mask) {
	w, h := rapid.IntRange(1, 50).Draw(t, "width"), rapid.IntRange(1, 50).Draw(t, "height")
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	photo := &cutout.Photo{Width: w, Height: h, Pix: make([]uint8, 4*w*h), Opaque: rapid.Bool().Draw(t, "opaque")}
	alpha := &cutout.Mask{Width: w, Height: h, Pix: make([]uint8, w*h)}
	for i := range photo.Pix {
		photo.Pix[i] = uint8(random.IntN(256))
		if i%4 == 3 && (photo.Opaque || random.IntN(3) > 0) {
			photo.Pix[i] = 255
		}
	}
	for i := range alpha.Pix {
		alpha.Pix[i] = uint8(min(255, max(0, random.IntN(500)-120)))
	}
	return photo, alpha
}

// Whatever is estimated, some background explains the photo: where the colour
// was changed, alpha shares of it and the rest of anything from black to white
// give the photo's own.
func TestCutoutOverSomeBackgroundIsThePhoto(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		photo, alpha := anyPhoto(t)
		before := bytes.Clone(photo.Pix)
		mustCut(t, photo, alpha, true)
		for i, level := range alpha.Pix {
			p, was := photo.Pix[4*i:4*i+4], before[4*i:4*i+4]
			if p[3] == 0 {
				continue
			}
			a := float64(level) / 255
			if was[3] < 255 || level == 255 {
				a = 1
			}
			for c := range 3 {
				least := a * float64(p[c])
				if v := float64(was[c]); v < least-1.5 || v > least+(1-a)*255+1.5 {
					t.Fatalf("pixel %d: %v at alpha %d cannot come from %v", i, was, level, p)
				}
			}
		}
	})
}

func TestCutoutMultipliesAlpha(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		photo, alpha := anyPhoto(t)
		if rapid.Bool().Draw(t, "deep") {
			photo = deepen(photo)
		}
		before, trueColours := bytes.Clone(photo.Pix), rapid.Bool().Draw(t, "true colours")
		mustCut(t, photo, alpha, trueColours)
		for i, level := range alpha.Pix {
			p, was := photo.Pix[4*i:4*i+4], before[4*i:4*i+4]
			if want := math.Round(float64(was[3]) * float64(level) / 255); float64(p[3]) != want {
				t.Fatalf("pixel %d: alpha %d times %d is %d", i, was[3], level, p[3])
			}
			if photo.Deep != nil && math.Abs(float64(photo.Deep[4*i+3])/257-float64(p[3])) > 0.51 {
				t.Fatalf("pixel %d: alpha %d deep, %d shallow", i, photo.Deep[4*i+3], p[3])
			}
			switch kept := bytes.Equal(p[:3], was[:3]); {
			case p[3] == 0:
				if !bytes.Equal(p, []uint8{0, 0, 0, 0}) {
					t.Fatalf("pixel %d is wholly transparent and has colour %v", i, p)
				}
			case !kept && (!trueColours || level == 255 || was[3] < 255):
				t.Fatalf("pixel %d: colour %v became %v", i, was, p)
			}
		}
	})
}

func TestCutoutOfDeepPhotos(t *testing.T) {
	photo, alpha := mixture(120, 90, [3]float64{210, 70, 30}, [3]float64{20, 160, 240})
	deep := deepen(photo)
	deepAlpha := *alpha
	for _, v := range alpha.Pix {
		deepAlpha.Deep = append(deepAlpha.Deep, uint16(v)*257)
	}
	mustCut(t, photo, alpha, true)
	mustCut(t, deep, &deepAlpha, true)
	if !bytes.Equal(photo.Pix, deep.Pix) {
		t.Error("the eight bits of a deep photo differ")
	}
	for i, v := range deep.Deep {
		if math.Abs(float64(v)/257-float64(deep.Pix[i])) > 0.51 {
			t.Fatalf("sample %d: %d deep, %d shallow", i, v, deep.Pix[i])
		}
	}
}

func TestCutoutShapes(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 20000}, {20000, 1}, {3, 2}, {90, 70}} {
		for _, level := range []uint8{0, 1, 128, 254, 255} {
			for _, source := range []uint8{0, 128, 255} {
				n := size[0] * size[1]
				photo := &cutout.Photo{Width: size[0], Height: size[1], Pix: bytes.Repeat([]uint8{90, 90, 90, source}, n)}
				alpha := &cutout.Mask{Width: size[0], Height: size[1], Pix: bytes.Repeat([]uint8{level}, n)}
				mustCut(t, photo, alpha, true)
				want := []uint8{90, 90, 90, uint8((int(source)*int(level) + 127) / 255)}
				if want[3] == 0 {
					want = make([]uint8, 4)
				}
				if !bytes.Equal(photo.Pix, bytes.Repeat(want, n)) {
					t.Errorf("%v, level %d, source %d: %v", size, level, source, photo.Pix[:4])
				}
			}
		}
	}
}

func TestCutoutIsTheSameOnAnyNumberOfProcessors(t *testing.T) {
	cut := func() []uint8 {
		photo, alpha := mixture(700, 500, [3]float64{210, 70, 30}, [3]float64{20, 160, 240})
		mustCut(t, photo, alpha, true)
		return photo.Pix
	}
	want := cut()
	for _, n := range []int{1, 3, 8} {
		before := runtime.GOMAXPROCS(n)
		got := cut()
		runtime.GOMAXPROCS(before)
		if !bytes.Equal(got, want) {
			t.Errorf("%d processors give another cut-out", n)
		}
	}
}

func TestCutoutRefuses(t *testing.T) {
	photo, alpha := mixture(30, 20, [3]float64{}, [3]float64{255, 255, 255})
	other := &cutout.Mask{Width: 20, Height: 30, Pix: make([]uint8, 600)}
	if err := compose.Cutout(t.Context(), photo, other, true); cutout.CodeOf(err) != cutout.Internal {
		t.Errorf("an alpha of another size: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, trueColours := range []bool{false, true} {
		if err := compose.Cutout(ctx, photo, alpha, trueColours); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled context: %v", err)
		}
	}
}

func TestFlatten(t *testing.T) {
	photo := deepen(&cutout.Photo{Width: 3, Height: 1, Pix: []uint8{
		10, 20, 30, 255, 0, 0, 0, 0, 200, 100, 0, 128,
	}})
	if err := compose.Flatten(t.Context(), photo, color.NRGBA{R: 50, G: 60, B: 255, A: 255}); err != nil {
		t.Fatal(err)
	}
	want := []uint8{10, 20, 30, 255, 50, 60, 255, 255, 125, 80, 127, 255}
	if !bytes.Equal(photo.Pix, want) || !photo.Opaque {
		t.Errorf("%v, opaque %v", photo.Pix, photo.Opaque)
	}
	for i, v := range photo.Deep {
		if math.Abs(float64(v)/257-float64(want[i])) > 0.51 {
			t.Errorf("sample %d is %d deep, %d shallow", i, v, want[i])
		}
	}
}

func BenchmarkCutout(b *testing.B) {
	photo, alpha := mixture(4032, 3024, [3]float64{210, 70, 30}, [3]float64{20, 160, 240})
	pix := bytes.Clone(photo.Pix)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		copy(photo.Pix, pix)
		b.StartTimer()
		mustCut(b, photo, alpha, true)
	}
}
