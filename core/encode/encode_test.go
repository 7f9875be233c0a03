package encode_test

import (
	"archive/zip"
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"runtime"
	"testing"

	"golang.org/x/image/webp"
	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/encode"
)

// drawPhoto makes photos of noise, flat parts and transparent parts.
func drawPhoto(t *rapid.T, side int) *cutout.Photo {
	w, h := rapid.IntRange(1, side).Draw(t, "width"), rapid.IntRange(1, side).Draw(t, "height")
	p := &cutout.Photo{Width: w, Height: h, Pix: make([]uint8, 4*w*h), Opaque: rapid.Bool().Draw(t, "opaque")}
	if rapid.Bool().Draw(t, "deep") {
		p.Deep = make([]uint16, 4*w*h)
	}
	seed := rapid.Uint64().Draw(t, "seed")
	noise := rapid.Uint64Range(1, 256).Draw(t, "noise")
	for i := range p.Pix {
		seed = seed*6364136223846793005 + 1442695040888963407
		v := uint16(seed >> 40 % noise * 257)
		if i%4 == 3 && p.Opaque {
			v = 0xffff
		}
		p.Pix[i] = uint8(v >> 8)
		if p.Deep != nil {
			p.Deep[i] = v
		}
	}
	return p
}

func TestPNGComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPhoto(t, 90)
		depth := rapid.SampledFrom([]int{8, 16}).Draw(t, "depth")
		file, err := encode.Photo(context.Background(), p, cutout.PNG, depth)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		_, eight := img.(*image.NRGBA)
		if deep := depth == 16 && p.Deep != nil; deep && eight {
			t.Fatalf("16 bits became %T", img)
		}
		for y := range p.Height {
			for x := range p.Width {
				i := 4 * (y*p.Width + x)
				want := color.NRGBA{p.Pix[i], p.Pix[i+1], p.Pix[i+2], p.Pix[i+3]}
				if want.A == 0 {
					want = color.NRGBA{}
				}
				if got := straight(img, x, y); got != want {
					t.Fatalf("%d,%d is %v, was %v", x, y, got, want)
				}
			}
		}
	})
}

// straight returns a pixel's eight high bits without the detour over
// premultiplied colour that image.At takes.
func straight(img image.Image, x, y int) color.NRGBA {
	switch img := img.(type) {
	case *image.NRGBA:
		return img.NRGBAAt(x, y)
	case *image.NRGBA64:
		c := img.NRGBA64At(x, y)
		return color.NRGBA{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8), uint8(c.A >> 8)}
	}
	return color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
}

func TestDeepPNGKeepsEachSample(t *testing.T) {
	p := &cutout.Photo{Width: 2, Height: 1, Pix: make([]uint8, 8), Deep: []uint16{1, 2, 3, 4, 0x1234, 0x5678, 0x9abc, 0}}
	file, err := encode.Photo(t.Context(), p, cutout.PNG, 16)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for x, want := range []color.NRGBA64{{1, 2, 3, 4}, {}} {
		if got := img.(*image.NRGBA64).NRGBA64At(x, 0); got != want {
			t.Errorf("pixel %d is %v, was %v", x, got, want)
		}
	}
}

func TestMaskPNGComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPhoto(t, 50)
		m := &cutout.Mask{Width: 2 * p.Width, Height: 2 * p.Height, Pix: p.Pix, Deep: p.Deep}
		file, err := encode.Mask(context.Background(), m, cutout.PNG, 16)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range m.Pix {
			at := img.At(i%m.Width, i/m.Width)
			if m.Deep != nil && at != (color.Gray16{m.Deep[i]}) || m.Deep == nil && at != (color.Gray{v}) {
				t.Fatalf("sample %d is %v, was %v", i, at, v)
			}
		}
	})
}

// Strips must fit together wherever they are cut, whichever worker made them.
func TestManyStrips(t *testing.T) {
	p := &cutout.Photo{Width: 400, Height: 1500, Pix: make([]uint8, 4*400*1500)}
	for i := range p.Pix {
		p.Pix[i] = uint8(i*i>>9) | 1
	}
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	one, err := encode.Photo(t.Context(), p, cutout.PNG, 8)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GOMAXPROCS(5)
	many, err := encode.Photo(t.Context(), p, cutout.PNG, 8)
	if err != nil || !bytes.Equal(one, many) {
		t.Fatalf("the file depends on the number of cores (%v)", err)
	}
	img, err := png.Decode(bytes.NewReader(many))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(img.(*image.NRGBA).Pix, p.Pix) {
		t.Fatal("other pixels came back")
	}
}

// A lossy WebP keeps size and alpha exactly and colours nearly.
func TestWebPComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 70).Draw(t, "width"), rapid.IntRange(1, 70).Draw(t, "height")
		c := [3]int{rapid.IntRange(0, 255).Draw(t, "r"), rapid.IntRange(0, 255).Draw(t, "g"), rapid.IntRange(0, 255).Draw(t, "b")}
		cut := rapid.IntRange(0, w).Draw(t, "transparent columns")
		p := &cutout.Photo{Width: w, Height: h, Opaque: cut == 0, Pix: make([]uint8, 4*w*h)}
		for i := range w * h {
			copy(p.Pix[4*i:], []uint8{uint8(c[0]), uint8(c[1]), uint8(c[2]), 255})
			if i%w < cut {
				p.Pix[4*i+3] = uint8(i % 2)
			}
		}
		file, err := encode.Photo(context.Background(), p, cutout.WebP, 8)
		if err != nil {
			t.Fatal(err)
		}
		checkWebP(t, file, p, 8)
	})
}

// checkWebP converts as libwebp does: Go's own conversion takes the planes'
// range for another.
func checkWebP(t *rapid.T, file []byte, p *cutout.Photo, tolerance int) {
	img, err := webp.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != p.Width || b.Dy() != p.Height {
		t.Fatalf("size %v", b)
	}
	alpha := func(int) uint8 { return 255 }
	planes, opaque := img.(*image.YCbCr)
	if !opaque {
		with := img.(*image.NYCbCrA)
		planes = &with.YCbCr
		alpha = func(i int) uint8 { return with.A[i%p.Width+i/p.Width*with.AStride] }
	}
	for i := range p.Width * p.Height {
		if got, want := alpha(i), p.Pix[4*i+3]; got != want {
			t.Fatalf("alpha %d is %d, was %d", i, got, want)
		}
		if p.Pix[4*i+3] != 255 {
			continue // its colour may lean on its neighbours'
		}
		x, y := i%p.Width, i/p.Width
		luma := 1.164 * (float64(planes.Y[planes.YOffset(x, y)]) - 16)
		cb, cr := float64(planes.Cb[planes.COffset(x, y)])-128, float64(planes.Cr[planes.COffset(x, y)])-128
		for c, v := range [3]float64{luma + 1.596*cr, luma - 0.392*cb - 0.813*cr, luma + 2.017*cb} {
			if d := int(v) - int(p.Pix[4*i+c]); d > tolerance || d < -tolerance {
				t.Fatalf("pixel %d,%d channel %d is %.0f, was %d", x, y, c, v, p.Pix[4*i+c])
			}
		}
	}
}

func TestMaskWebPIsExact(t *testing.T) {
	m := &cutout.Mask{Width: 61, Height: 33, Pix: make([]uint8, 61*33)}
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i >> 3)
	}
	file, err := encode.Mask(t.Context(), m, cutout.WebP, 8)
	if err != nil {
		t.Fatal(err)
	}
	img, err := webp.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range m.Pix {
		if got := img.(*image.NRGBA).NRGBAAt(i%m.Width, i/m.Width); got != (color.NRGBA{v, v, v, 255}) {
			t.Fatalf("sample %d is %v, was %d", i, got, v)
		}
	}
}

func TestJPEG(t *testing.T) {
	p := &cutout.Photo{Width: 30, Height: 20, Opaque: true, Pix: bytes.Repeat([]byte{200, 100, 50, 255}, 600)}
	file, err := encode.Photo(t.Context(), p, cutout.JPEG, 8)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	r, g, b, _ := img.At(15, 10).RGBA()
	for i, v := range []uint32{r >> 8, g >> 8, b >> 8} {
		if d := int(v) - int(p.Pix[i]); d > 3 || d < -3 {
			t.Errorf("channel %d is %d, was %d", i, v, p.Pix[i])
		}
	}
}

func TestRefusals(t *testing.T) {
	photo := func(w, h int, opaque bool) *cutout.Photo {
		return &cutout.Photo{Width: w, Height: h, Opaque: opaque, Pix: make([]uint8, 4*w*h)}
	}
	for name, c := range map[string]struct {
		photo  *cutout.Photo
		format cutout.Format
	}{
		"transparent JPEG": {photo(2, 2, false), cutout.JPEG},
		"wide JPEG":        {photo(65536, 1, true), cutout.JPEG},
		"wide WebP":        {photo(16384, 1, true), cutout.WebP},
		"high WebP":        {photo(1, 16384, false), cutout.WebP},
		"empty PNG":        {photo(0, 5, false), cutout.PNG},
	} {
		if _, err := encode.Photo(t.Context(), c.photo, c.format, 8); cutout.CodeOf(err) != cutout.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := &cutout.Photo{Width: 8, Height: 8, Opaque: true, Pix: make([]uint8, 256)}
	for _, f := range []cutout.Format{cutout.PNG, cutout.WebP, cutout.JPEG} {
		if _, err := encode.Photo(ctx, p, f, 8); cutout.CodeOf(err) != cutout.Canceled {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// cutOut is a picture like those that come out of the pipeline: a subject with
// grain in the middle of nothing.
func cutOut(w, h int) *cutout.Photo {
	p := &cutout.Photo{Width: w, Height: h, Pix: make([]uint8, 4*w*h)}
	seed := uint32(1)
	for y := range h {
		for x := range w {
			dx, dy := float64(2*x-w)/float64(w), float64(2*y-h)/float64(h)
			if dx*dx+dy*dy > 0.6 {
				continue
			}
			seed = seed*1664525 + 1013904223
			grain := uint8(seed >> 29)
			copy(p.Pix[4*(y*w+x):], []uint8{uint8(x/16) + grain, uint8(y/16) + grain, uint8((x + y) / 32), 255})
		}
	}
	return p
}

func BenchmarkPNG(b *testing.B) {
	p := cutOut(4032, 3024)
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			file, _ := encode.Photo(b.Context(), p, cutout.PNG, 8)
			b.ReportMetric(float64(len(file)), "bytes")
		}
	})
	b.Run("image_png", func(b *testing.B) {
		img := &image.NRGBA{Pix: p.Pix, Stride: 4 * p.Width, Rect: image.Rect(0, 0, p.Width, p.Height)}
		for b.Loop() {
			var file bytes.Buffer
			_ = png.Encode(&file, img)
			b.ReportMetric(float64(file.Len()), "bytes")
		}
	})
}

// A ZIP holds what other programs expect of one: sizes in front, two files of the
// same size, and an alpha that is grey in eight bits.
func TestZIP(t *testing.T) {
	p := &cutout.Photo{Width: 90, Height: 40, Pix: make([]uint8, 4*90*40)}
	for i := range 90 * 40 {
		copy(p.Pix[4*i:], []uint8{200, 100, 50, uint8(i)})
	}
	file, err := encode.Photo(t.Context(), p, cutout.ZIP, 8)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil || len(archive.File) != 2 || archive.File[0].Name != "color.jpg" || archive.File[1].Name != "alpha.png" {
		t.Fatalf("%v, %+v", err, archive)
	}
	for i, f := range archive.File {
		if f.Flags&8 != 0 {
			t.Errorf("%s: its size stands behind it", f.Name)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		img, kind, err := image.Decode(r)
		if err != nil || img.Bounds() != image.Rect(0, 0, 90, 40) || kind != []string{"jpeg", "png"}[i] {
			t.Fatalf("%s: %s, %v", f.Name, kind, err)
		}
		if i == 0 {
			if r, g, b, _ := img.At(40, 20).RGBA(); r>>8 < 195 || g>>8 > 105 || b>>8 > 55 {
				t.Errorf("the colour is %d %d %d", r>>8, g>>8, b>>8)
			}
			continue
		}
		grey, is := img.(*image.Gray)
		for j := range 90 * 40 {
			if !is || grey.Pix[j] != uint8(j) {
				t.Fatalf("%T, %d", img, j)
			}
		}
	}
}
