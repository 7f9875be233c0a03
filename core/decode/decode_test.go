package decode_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The picture in testdata: four fields of colour, 48 x 32.
var fields = [4]color.NRGBA{{220, 40, 30, 255}, {40, 180, 60, 255}, {40, 60, 200, 255}, {240, 240, 240, 255}}

func quad() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, 48, 32))
	for y := range 32 {
		for x := range 48 {
			img.SetNRGBA(x, y, fields[x/24+y/16*2])
		}
	}
	return img
}

func read(tb testing.TB, name string) []byte {
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func encoded(tb testing.TB, encode func(*bytes.Buffer) error) []byte {
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// files returns the picture in every format.
func files(tb testing.TB) map[string][]byte {
	all := map[string][]byte{}
	for _, name := range []string{"lossy.webp", "alpha.webp", "lossless.webp", "animated.webp", "cmyk.jpg", "progressive.jpg",
		"plain.avif", "alpha.avif", "ten.avif", "turned.avif", "palette.gif", "plain.heic"} {
		all[name] = read(tb, name)
	}
	all["baseline.jpg"] = encoded(tb, func(b *bytes.Buffer) error { return jpeg.Encode(b, quad(), &jpeg.Options{Quality: 95}) })
	all["plain.png"] = encoded(tb, func(b *bytes.Buffer) error { return png.Encode(b, quad()) })
	all["plain.bmp"] = encoded(tb, func(b *bytes.Buffer) error { return bmp.Encode(b, quad()) })
	all["deflate.tif"] = encoded(tb, func(b *bytes.Buffer) error {
		return tiff.Encode(b, quad(), &tiff.Options{Compression: tiff.Deflate})
	})
	return all
}

func at(p *cutout.Photo, x, y int) color.NRGBA {
	i := 4 * (y*p.Width + x)
	return color.NRGBA{p.Pix[i], p.Pix[i+1], p.Pix[i+2], p.Pix[i+3]}
}

func near(a, b color.NRGBA, tolerance int) bool {
	for _, d := range []int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B), int(a.A) - int(b.A)} {
		if d > tolerance || d < -tolerance {
			return false
		}
	}
	return true
}

// checkFields looks at the middle of each field.
func checkFields(t *testing.T, p *cutout.Photo, want [4]color.NRGBA, tolerance int) {
	t.Helper()
	for i, c := range want {
		x, y := p.Width/4+i%2*p.Width/2, p.Height/4+i/2*p.Height/2
		if got := at(p, x, y); !near(got, c, tolerance) {
			t.Errorf("field %d is %v, not %v", i, got, c)
		}
	}
}

func TestFormats(t *testing.T) {
	for name, data := range files(t) {
		t.Run(name, func(t *testing.T) {
			p, err := decode.Decode(t.Context(), data, decode.Limits{}, false)
			if err != nil {
				t.Fatal(err)
			}
			want, tolerance := fields, 5
			switch name {
			case "turned.avif": // a quarter turn anticlockwise, then mirrored upside down
				want = [4]color.NRGBA{fields[0], fields[2], fields[1], fields[3]}
				if p.Width != 32 || p.Height != 48 {
					t.Fatalf("%d x %d", p.Width, p.Height)
				}
			case "cmyk.jpg":
				tolerance = 12
			default:
				if p.Width != 48 || p.Height != 32 {
					t.Fatalf("%d x %d", p.Width, p.Height)
				}
			}
			checkFields(t, p, want, tolerance)
			transparent := slices.Contains([]string{"alpha.webp", "lossless.webp", "animated.webp", "alpha.avif"}, name)
			if p.Opaque == transparent {
				t.Errorf("opaque is %v", p.Opaque)
			}
			if alpha := at(p, 3, 20).A; transparent && alpha != 0 {
				t.Errorf("the left edge has alpha %d", alpha)
			}
			h, err := decode.Open(t.Context(), data, decode.Limits{}, false)
			if err != nil || h.Width != p.Width || h.Height != p.Height {
				t.Errorf("probe says %+v, %v", h, err)
			}
		})
	}
}

func TestOddSizedHEIC(t *testing.T) {
	p, err := decode.Decode(t.Context(), read(t, "odd.heic"), decode.Limits{}, false)
	if err != nil {
		t.Fatal(err)
	}
	if p.Width != 37 || p.Height != 29 {
		t.Fatalf("%d x %d", p.Width, p.Height)
	}
	for i, point := range []image.Point{{5, 5}, {30, 5}, {5, 25}, {35, 27}} {
		if got := at(p, point.X, point.Y); !near(got, fields[i], 6) {
			t.Errorf("field %d is %v, not %v", i, got, fields[i])
		}
	}
}

// withExif puts an EXIF block with an orientation into a file.
func withExif(t *testing.T, format string, orientation uint16) []byte {
	exif := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
	binary.BigEndian.PutUint16(exif[18:], orientation)
	data := files(t)
	switch format {
	case "jpeg":
		return withSegment(data["baseline.jpg"], 0xe1, append([]byte("Exif\x00\x00"), exif...))
	case "png":
		return withChunk(data["plain.png"], "eXIf", exif)
	case "webp":
		file := slices.Concat(data["lossy.webp"], []byte("EXIF"), binary.LittleEndian.AppendUint32(nil, uint32(len(exif))), exif)
		binary.LittleEndian.PutUint32(file[4:], uint32(len(file)-8))
		return file
	}
	panic(format)
}

func withSegment(data []byte, marker byte, body []byte) []byte {
	length := binary.BigEndian.AppendUint16(nil, uint16(len(body)+2))
	return slices.Concat(data[:2], []byte{0xff, marker}, length, body, data[2:])
}

func withChunk(data []byte, name string, body []byte) []byte {
	chunk := append([]byte(name), body...)
	return slices.Concat(data[:33], binary.BigEndian.AppendUint32(nil, uint32(len(body))), chunk,
		binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(chunk)), data[33:])
}

// The stored picture's fields, as they are to appear for each orientation.
var turned = [9][4]int{
	1: {0, 1, 2, 3}, 2: {1, 0, 3, 2}, 3: {3, 2, 1, 0}, 4: {2, 3, 0, 1},
	5: {0, 2, 1, 3}, 6: {2, 0, 3, 1}, 7: {3, 1, 2, 0}, 8: {1, 3, 0, 2},
}

func TestOrientations(t *testing.T) {
	for _, format := range []string{"jpeg", "png", "webp"} {
		for o := uint16(1); o <= 8; o++ {
			p, err := decode.Decode(t.Context(), withExif(t, format, o), decode.Limits{}, false)
			if err != nil {
				t.Fatalf("%s %d: %v", format, o, err)
			}
			if upright := p.Width < p.Height; upright != (o >= 5) {
				t.Errorf("%s %d: %d x %d", format, o, p.Width, p.Height)
			}
			var want [4]color.NRGBA
			for i, from := range turned[o] {
				want[i] = fields[from]
			}
			checkFields(t, p, want, 5)
		}
	}
}

func TestTIFFOrientation(t *testing.T) {
	data := files(t)["deflate.tif"]
	order := binary.LittleEndian
	at := order.Uint32(data[4:])
	entries := data[at+2:][:12*int(order.Uint16(data[at:]))]
	var before int // entries of lower tags: a directory is sorted
	for order.Uint16(entries[12*before:]) < 274 {
		before++
	}
	orientation := []byte{0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0}
	order.PutUint32(data[4:], uint32(len(data)))
	data = slices.Concat(data, order.AppendUint16(nil, uint16(len(entries)/12+1)), entries[:12*before], orientation, entries[12*before:], make([]byte, 4))
	p, err := decode.Decode(t.Context(), data, decode.Limits{}, false)
	if err != nil {
		t.Fatal(err)
	}
	checkFields(t, p, [4]color.NRGBA{fields[2], fields[0], fields[3], fields[1]}, 0)
}

// Four components without Adobe's mark are ink, not inverted.
func TestBareCMYK(t *testing.T) {
	data := read(t, "cmyk.jpg")
	i := bytes.Index(data, []byte("\xff\xee"))
	if i < 0 {
		t.Fatal("no Adobe segment in testdata/cmyk.jpg")
	}
	length := int(binary.BigEndian.Uint16(data[i+2:]))
	bare := slices.Concat(data[:i], data[i+2+length:])
	marked, err := decode.Decode(t.Context(), data, decode.Limits{}, false)
	if err != nil {
		t.Fatal(err)
	}
	p, err := decode.Decode(t.Context(), bare, decode.Limits{}, false)
	if err != nil {
		t.Fatal(err)
	}
	if p.Width != marked.Width || bytes.Equal(p.Pix, marked.Pix) {
		t.Error("ink was inverted")
	}
}

func TestDeep(t *testing.T) {
	img := image.NewNRGBA64(image.Rect(0, 0, 5, 3))
	for i := range 15 {
		img.SetNRGBA64(i%5, i/5, color.NRGBA64{uint16(i * 4001), uint16(i * 17), 0xabcd, uint16(0xffff - i)})
	}
	data := encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, img) })
	p, err := decode.Decode(t.Context(), withChunk(data, "eXIf", []byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00")), decode.Limits{}, true)
	if err != nil {
		t.Fatal(err)
	}
	if p.Width != 3 || p.Height != 5 || p.Opaque {
		t.Fatalf("%d x %d, opaque %v", p.Width, p.Height, p.Opaque)
	}
	for i := range 15 {
		x, y := 2-i/5, i%5 // a quarter turn clockwise
		want := img.NRGBA64At(i%5, i/5)
		o := 4 * (y*3 + x)
		if got := (color.NRGBA64{p.Deep[o], p.Deep[o+1], p.Deep[o+2], p.Deep[o+3]}); got != want {
			t.Errorf("pixel %d is %v, not %v", i, got, want)
		}
		if got := int(p.Pix[o]); got != (int(want.R)*255+32767)/65535 {
			t.Errorf("pixel %d in eight bits is %d of %d", i, got, want.R)
		}
	}
	for name, data := range files(t) {
		p, err := decode.Decode(t.Context(), data, decode.Limits{}, true)
		if err != nil {
			t.Fatal(err)
		}
		if deep := p.Deep != nil; deep != (name == "ten.avif") {
			t.Errorf("%s: 16-bit samples: %v", name, deep)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, data := range files(t) {
		for _, c := range []struct {
			limits decode.Limits
			want   cutout.Code
		}{
			{decode.Limits{MaxPixels: 48 * 32}, ""},
			{decode.Limits{MaxPixels: 48*32 - 1}, cutout.TooManyPixels},
			{decode.Limits{MaxSide: 48}, ""},
			{decode.Limits{MaxSide: 47}, cutout.TooManyPixels},
			{decode.Limits{MaxMemory: 1 << 30}, ""},
			{decode.Limits{MaxMemory: 1000}, cutout.TooManyPixels},
			{decode.Limits{Timeout: 1}, cutout.Timeout},
		} {
			if _, err := decode.Decode(t.Context(), data, c.limits, false); cutout.CodeOf(err) != c.want {
				t.Errorf("%s with %+v: %v", name, c.limits, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := decode.Decode(ctx, data, decode.Limits{}, false); cutout.CodeOf(err) != cutout.Canceled {
			t.Errorf("%s canceled: %v", name, err)
		}
	}
}

// A file that ends early, wherever, is an answer and no picture of half the
// memory.
func TestCutOff(t *testing.T) {
	for name, data := range files(t) {
		for _, n := range []int{1, 3, 12, 30, len(data) / 3, len(data) / 2, len(data) - 20} {
			_, err := decode.Decode(t.Context(), data[:n], decode.Limits{MaxPixels: 1e6}, false)
			switch code := cutout.CodeOf(err); code {
			case cutout.Invalid, cutout.UnsupportedFormat, "":
				if code == "" && n < len(data)/2 {
					t.Errorf("%s: %d of %d bytes make a picture", name, n, len(data))
				}
			default:
				t.Errorf("%s cut at %d: %v", name, n, err)
			}
		}
	}
}

func TestUnsupported(t *testing.T) {
	for _, data := range []string{"%PDF-1.7", "<svg xmlns='http://www.w3.org/2000/svg'/>", " <!DOCTYPE html>", "\xff\x0a....",
		"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "hello", "RIFF\x04\x00\x00\x00WAVE"} {
		_, err := decode.Decode(t.Context(), []byte(data), decode.Limits{}, false)
		if cutout.CodeOf(err) != cutout.UnsupportedFormat || !bytes.Contains([]byte(cutout.MessageOf(err)), []byte(decode.Accepted)) {
			t.Errorf("%q: %v", data, err)
		}
	}
}

// p3.avif holds the fields' numbers as Display P3; what sRGB makes of them was
// computed in floating point, cut off at its gamut.
func TestWideGamutByCodePoints(t *testing.T) {
	p, err := decode.Decode(t.Context(), read(t, "p3.avif"), decode.Limits{}, false)
	if err != nil {
		t.Fatal(err)
	}
	checkFields(t, p, [4]color.NRGBA{{240, 0, 0, 255}, {0, 183, 30, 255}, {34, 61, 208, 255}, {240, 240, 240, 255}}, 6)
}

// matrixProfile builds an ICC profile of three primaries (XYZ under D50) and
// one gamma.
func matrixProfile(space string, primaries [3][3]float64, gamma float64) []byte {
	var tags, body []byte
	names := []string{"rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC", "kTRC"}
	start := 132 + 12*len(names)
	for i, name := range names {
		var tag []byte
		if i < 3 {
			tag = []byte("XYZ \x00\x00\x00\x00")
			for _, v := range primaries[i] {
				tag = binary.BigEndian.AppendUint32(tag, uint32(int32(v*65536)))
			}
		} else {
			tag = binary.BigEndian.AppendUint16([]byte("curv\x00\x00\x00\x00\x00\x00\x00\x01"), uint16(gamma*256))
			tag = append(tag, 0, 0)
		}
		tags = append(tags, name...)
		tags = binary.BigEndian.AppendUint32(tags, uint32(start+len(body)))
		tags = binary.BigEndian.AppendUint32(tags, uint32(len(tag)))
		body = append(body, tag...)
	}
	head := make([]byte, 128)
	copy(head[16:], space)
	copy(head[36:], "acsp")
	return slices.Concat(head, binary.BigEndian.AppendUint32(nil, uint32(len(names))), tags, body)
}

// Adobe RGB (1998): its primaries and its gamma of 2.2.
var adobeRGB = [3][3]float64{{0.60974, 0.31111, 0.01947}, {0.20528, 0.62567, 0.06087}, {0.14919, 0.06322, 0.74457}}

// The numbers that sRGB's own colours have in Adobe RGB.
var inAdobeRGB = []struct{ adobe, srgb color.NRGBA }{
	{color.NRGBA{219, 0, 0, 255}, color.NRGBA{255, 0, 0, 255}},
	{color.NRGBA{144, 255, 60, 255}, color.NRGBA{0, 255, 0, 255}},
	{color.NRGBA{0, 0, 250, 255}, color.NRGBA{0, 0, 255, 255}},
	{color.NRGBA{255, 255, 255, 255}, color.NRGBA{255, 255, 255, 255}},
	{color.NRGBA{127, 127, 127, 255}, color.NRGBA{127, 127, 127, 255}},
}

func TestProfile(t *testing.T) {
	profile := matrixProfile("RGB ", adobeRGB, 2.19921875)
	for _, c := range inAdobeRGB {
		img := image.NewNRGBA(image.Rect(0, 0, 16, 16))
		deep := image.NewNRGBA64(img.Rect)
		for y := range 16 {
			for x := range 16 {
				img.SetNRGBA(x, y, c.adobe)
				deep.Set(x, y, c.adobe)
			}
		}
		asJPEG := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, img, &jpeg.Options{Quality: 100}) })
		asPNG := encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, img) })
		asDeep := encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, deep) })
		half := len(profile) / 2
		// In two pieces, the second one first.
		withTwo := withSegment(withSegment(asJPEG, 0xe2, append([]byte("ICC_PROFILE\x00\x01\x02"), profile[:half]...)),
			0xe2, append([]byte("ICC_PROFILE\x00\x02\x02"), profile[half:]...))
		for name, data := range map[string][]byte{
			"jpeg": withTwo,
			"png":  withChunk(asPNG, "iCCP", deflated("name\x00\x00", profile)),
			"deep": withChunk(asDeep, "iCCP", deflated("name\x00\x00", profile)),
		} {
			p, err := decode.Decode(t.Context(), data, decode.Limits{}, true)
			if err != nil {
				t.Fatal(name, err)
			}
			if got := at(p, 8, 8); !near(got, c.srgb, 3) {
				t.Errorf("%s: %v became %v, not %v", name, c.adobe, got, c.srgb)
			}
			if name == "deep" {
				if d := int(p.Deep[4*(8*16+8)]) - 257*int(c.srgb.R); d > 600 || d < -600 {
					t.Errorf("16 bits: %v became %v", c.adobe, p.Deep[:4])
				}
			}
		}
	}
}

// A profile that cannot be read costs nothing and is ignored.
func TestBrokenProfile(t *testing.T) {
	for name, body := range map[string][]byte{
		"damaged": []byte("name\x00\x00rubbish"),
		"bomb":    deflated("name\x00\x00", make([]byte, 50<<20)),
	} {
		p, err := decode.Decode(t.Context(), withChunk(files(t)["plain.png"], "iCCP", body), decode.Limits{}, false)
		if err != nil {
			t.Fatal(name, err)
		}
		checkFields(t, p, fields, 0)
	}
}

func TestGreyProfile(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 4, 4))
	for i := range img.Pix {
		img.Pix[i] = 128
	}
	data := encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, img) })
	linear := matrixProfile("GRAY", adobeRGB, 1)
	p, err := decode.Decode(t.Context(), withChunk(data, "iCCP", deflated("n\x00\x00", linear)), decode.Limits{}, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := at(p, 1, 1); !near(got, color.NRGBA{188, 188, 188, 255}, 1) {
		t.Errorf("half the light became %v", got)
	}
}

func deflated(head string, body []byte) []byte {
	b := bytes.NewBufferString(head)
	z := zlib.NewWriter(b)
	z.Write(body)
	z.Close()
	return b.Bytes()
}

func benchmarkAgainstLibrary(b *testing.B, data []byte) {
	b.Run("photo", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decode.Decode(b.Context(), data, decode.Limits{}, false); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("image_jpeg", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
