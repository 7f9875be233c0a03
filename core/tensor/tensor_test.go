package tensor_test

import (
	"bytes"
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
		in := tensor.FromPhoto(p, size)
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
		one := tensor.FromPhoto(p, size)
		runtime.GOMAXPROCS(rapid.IntRange(2, 9).Draw(t, "cores"))
		if many := tensor.FromPhoto(p, size); !bytes.Equal(one.Pix, many.Pix) {
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
		in := tensor.FromPhoto(p, side)
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
		in := tensor.FromPhoto(p, 64)
		if !bytes.Equal(in.Pix, bytes.Repeat([]byte{128}, 3*64*64)) {
			t.Errorf("%v: transparent pixels are not the backdrop: %v...", size, in.Pix[:6])
		}
	}
}

// testdata/pillow_*.png are what Pillow 13 makes of testdata/source.png with
// resize((n, n), BILINEAR).
func TestEqualsPillow(t *testing.T) {
	p := load(t, "testdata/source.png")
	for name, size := range map[string]int{"testdata/pillow_down.png": 32, "testdata/pillow_up.png": 160} {
		want, in := load(t, name), tensor.FromPhoto(p, size)
		for i := range size * size {
			for c := range 3 {
				if d := int(in.Pix[3*i+c]) - int(want.Pix[4*i+c]); d > 1 || d < -1 {
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
				tensor.FromPhoto(p, 1024)
			}
		})
	}
}
