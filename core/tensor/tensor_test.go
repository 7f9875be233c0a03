package tensor_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	_ "image/jpeg"
	"image/png"
	"os"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/tensor"
)

func fromPhoto(t interface{ Fatal(args ...any) }, p *cutout.Photo, size int) *cutout.Input {
	in, err := tensor.FromPhoto(context.Background(), p, size, false)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func drawPhoto(t *rapid.T, maxSide int) *cutout.Photo {
	w, h := rapid.IntRange(1, maxSide).Draw(t, "width"), rapid.IntRange(1, maxSide).Draw(t, "height")
	seed := rapid.Uint64().Draw(t, "seed")
	p := &cutout.Photo{Width: w, Height: h, Pix: make([]uint8, 4*w*h), Opaque: rapid.Bool().Draw(t, "opaque")}
	for i := range p.Pix {
		seed = seed*6364136223846793005 + 1442695040888963407
		p.Pix[i] = uint8(seed >> 56)
		if p.Opaque && i%4 == 3 {
			p.Pix[i] = 255
		}
	}
	return p
}

func TestFlatColourStaysFlat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 5000).Draw(t, "width"), rapid.IntRange(1, 40).Draw(t, "height")
		if rapid.Bool().Draw(t, "upright") {
			w, h = h, w
		}
		c := [4]uint8{rapid.Uint8().Draw(t, "r"), rapid.Uint8().Draw(t, "g"), rapid.Uint8().Draw(t, "b"), 255}
		p := &cutout.Photo{Width: w, Height: h, Opaque: true, Pix: bytes.Repeat(c[:], w*h)}
		size := rapid.IntRange(1, 80).Draw(t, "size")
		in := fromPhoto(t, p, size)
		if !bytes.Equal(in.Pix, bytes.Repeat(c[:3], size*size)) {
			t.Fatalf("%v became %v...", c, in.Pix[:3])
		}
	})
}

func TestSameOnAnyNumberOfCores(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	rapid.Check(t, func(t *rapid.T) {
		p, size := drawPhoto(t, 200), rapid.IntRange(1, 64).Draw(t, "size")
		runtime.GOMAXPROCS(1)
		one := fromPhoto(t, p, size)
		runtime.GOMAXPROCS(rapid.IntRange(2, 9).Draw(t, "cores"))
		if many := fromPhoto(t, p, size); !bytes.Equal(one.Pix, many.Pix) {
			t.Fatal("the result depends on the number of cores")
		}
	})
}

// At its own size a photo passes through unchanged.
func TestIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPhoto(t, 1)
		side := rapid.IntRange(1, 60).Draw(t, "side")
		p = &cutout.Photo{Width: side, Height: side, Opaque: true, Pix: bytes.Repeat(p.Pix, side*side)}
		for i := 3; i < len(p.Pix); i += 4 {
			p.Pix[i] = 255
		}
		p.Pix[0] ^= 0xff
		in := fromPhoto(t, p, side)
		for i := range side * side {
			if !bytes.Equal(in.Pix[3*i:3*i+3], p.Pix[4*i:4*i+3]) {
				t.Fatalf("pixel %d: %v became %v", i, p.Pix[4*i:4*i+3], in.Pix[3*i:3*i+3])
			}
		}
	})
}

func TestOddSizes(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 20000}, {20000, 1}, {3, 7}} {
		p := &cutout.Photo{Width: size[0], Height: size[1], Pix: bytes.Repeat([]byte{9, 8, 7, 0}, size[0]*size[1])}
		in := fromPhoto(t, p, 64)
		if !bytes.Equal(in.Pix, bytes.Repeat([]byte{128}, 3*64*64)) {
			t.Errorf("%v: transparent pixels are not the backdrop: %v...", size, in.Pix[:6])
		}
	}
}

// The mirrored input is the input of the mirrored photo.
func TestMirrored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, size := drawPhoto(t, 60), rapid.IntRange(1, 90).Draw(t, "size")
		straight := fromPhoto(t, p, size)
		mirrored, err := tensor.FromPhoto(context.Background(), p, size, true)
		if err != nil {
			t.Fatal(err)
		}
		for i := range size * size {
			j := i/size*size + size - 1 - i%size
			if !bytes.Equal(straight.Pix[3*i:3*i+3], mirrored.Pix[3*j:3*j+3]) {
				t.Fatalf("pixel %d: %v, mirrored %v", i, straight.Pix[3*i:3*i+3], mirrored.Pix[3*j:3*j+3])
			}
		}
	})
}

// Three channels in one word do not spill into each other, whatever overshoots.
func TestChannelsAreIndependent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, size := drawPhoto(t, 40), rapid.IntRange(1, 120).Draw(t, "size")
		for i := range p.Pix { // the hardest contrasts
			p.Pix[i] = uint8(int8(p.Pix[i]) >> 7)
			if i%4 == 3 {
				p.Pix[i] = 255
			}
		}
		whole, c := fromPhoto(t, p, size), rapid.IntRange(0, 2).Draw(t, "channel")
		for i := range p.Pix {
			if i%4 != c && i%4 != 3 {
				p.Pix[i] = 0
			}
		}
		alone := fromPhoto(t, p, size)
		for i := c; i < len(whole.Pix); i += 3 {
			if whole.Pix[i] != alone.Pix[i] {
				t.Fatalf("sample %d is %d, alone %d", i, whole.Pix[i], alone.Pix[i])
			}
		}
	})
}

// One long side makes neither the weights nor the rows that are kept large.
func TestMemory(t *testing.T) {
	const side = 32767
	for _, c := range [][2]int{{side, 1}, {1, side}, {side, 1500}, {1500, side}, {2, side}} {
		p := &cutout.Photo{Width: c[0], Height: c[1], Opaque: true, Pix: make([]uint8, 4*c[0]*c[1])}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		fromPhoto(t, p, 1024)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 32<<20 {
			t.Errorf("%v: %d bytes allocated", c, got)
		}
	}
}

func TestStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := &cutout.Photo{Width: 1, Height: 1, Pix: make([]uint8, 4)}
	if _, err := tensor.FromPhoto(ctx, p, 512, false); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// testdata/pillow_*.png are what Pillow makes of testdata/source.png with
// resize((n, n), LANCZOS), where it is reduced to less than half BILINEAR; with that filter's negative
// weights, rounding to twelve bits may come to a second level.
func TestEqualsPillow(t *testing.T) {
	p := load(t, "testdata/source.png")
	for name, c := range map[string]struct{ size, most int }{
		"testdata/pillow_down.png": {32, 1}, "testdata/pillow_less.png": {72, 2}, "testdata/pillow_up.png": {160, 2},
	} {
		size := c.size
		want, in := load(t, name), fromPhoto(t, p, size)
		for i := range size * size {
			for k := range 3 {
				if d := int(in.Pix[3*i+k]) - int(want.Pix[4*i+k]); d > c.most || d < -c.most {
					t.Fatalf("%s: pixel %d is %v, Pillow's %v", name, i, in.Pix[3*i:3*i+3], want.Pix[4*i:4*i+3])
				}
			}
		}
	}
}

func load(tb testing.TB, name string) *cutout.Photo {
	f, err := os.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		tb.Fatal(err)
	}
	b := img.Bounds()
	p := &cutout.Photo{Width: b.Dx(), Height: b.Dy(), Opaque: true, Pix: make([]uint8, 4*b.Dx()*b.Dy())}
	for y := range p.Height {
		for x := range p.Width {
			r, g, bl, _ := img.At(x, y).RGBA()
			copy(p.Pix[4*(y*p.Width+x):], []uint8{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8), 255})
		}
	}
	return p
}

func BenchmarkFromPhoto(b *testing.B) {
	for name, size := range map[string]image.Point{"12MP": {4032, 3024}, "50MP": {8165, 6124}, "1MP": {1200, 800}} {
		p := &cutout.Photo{Width: size.X, Height: size.Y, Opaque: true, Pix: bytes.Repeat([]byte{1, 2, 3, 255}, size.X*size.Y)}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				fromPhoto(b, p, 1024)
			}
		})
	}
}
