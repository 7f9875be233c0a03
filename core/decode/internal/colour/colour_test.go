package colour

import (
	"bytes"
	"image/color"
	"math"
	"testing"
)

// Full range is what Go's own conversion does, to within its rounding.
func TestMatrixEqualsLibrary(t *testing.T) {
	m := JPEG.Matrix()
	var dst [4]uint8
	for y := 0; y < 256; y += 5 {
		for cb := 0; cb < 256; cb += 5 {
			for cr := 0; cr < 256; cr += 5 {
				m.Row([]uint8{uint8(y)}, []uint8{uint8(cb)}, []uint8{uint8(cr)}, dst[:])
				r, g, b := color.YCbCrToRGB(uint8(y), uint8(cb), uint8(cr))
				for c, want := range [3]uint8{r, g, b} {
					if d := int(dst[c]) - int(want); d > 1 || d < -1 {
						t.Fatalf("%d,%d,%d is %v, the library's %v", y, cb, cr, dst[:3], []uint8{r, g, b})
					}
				}
			}
		}
	}
}

func TestLimitedRange(t *testing.T) {
	for _, c := range []struct {
		coding Coding
		in     [3]uint8
		want   [4]uint8
	}{
		{VP8, [3]uint8{16, 128, 128}, [4]uint8{0, 0, 0, 255}},
		{VP8, [3]uint8{235, 128, 128}, [4]uint8{255, 255, 255, 255}},
		{VP8, [3]uint8{81, 90, 240}, [4]uint8{254, 0, 0, 255}},                    // BT.601 red
		{Coding{MatrixCode: 1}, [3]uint8{63, 102, 240}, [4]uint8{255, 1, 0, 255}}, // BT.709 red
		{Coding{MatrixCode: 9}, [3]uint8{74, 97, 240}, [4]uint8{255, 0, 0, 255}},  // BT.2020 red
		{Coding{MatrixCode: 0, FullRange: true}, [3]uint8{1, 2, 3}, [4]uint8{3, 1, 2, 255}},
	} {
		var dst [4]uint8
		c.coding.Matrix().Row(c.in[:1], c.in[1:2], c.in[2:], dst[:])
		for i := range dst {
			if d := int(dst[i]) - int(c.want[i]); d > 1 || d < -1 {
				t.Errorf("%+v: %v is %v, not %v", c.coding, c.in, dst, c.want)
				break
			}
		}
	}
}

// The published matrix of Display P3 to sRGB.
func TestPrimaries(t *testing.T) {
	want := matrix{{1.2249, -0.2249, 0}, {-0.0420, 1.0420, 0}, {-0.0197, -0.0786, 1.0983}}
	got := toSRGB([3][2]float64{{0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}})
	for i := range 3 {
		for k := range 3 {
			if math.Abs(got[i][k]-want[i][k]) > 2e-4 {
				t.Fatalf("%v, not %v", got, want)
			}
		}
	}
}

func TestHighDynamicRange(t *testing.T) {
	for name, k := range map[string]curve{"PQ": decodePQ, "HLG": decodeHLG} {
		if k(0) != 0 || k(1) < 0.99 {
			t.Errorf("%s runs from %f to %f", name, k(0), k(1))
		}
		for i := range 1000 {
			if v := float64(i) / 1000; !(k(v+0.001) >= k(v)) {
				t.Fatalf("%s falls at %f", name, v)
			}
		}
	}
	// Reference white, 203 cd/m2, is at 58 % of PQ and 75 % of HLG.
	for name, v := range map[string]float64{"PQ": decodePQ(0.58), "HLG": decodeHLG(0.75)} {
		if v < 0.7 || v > 0.85 {
			t.Errorf("%s: reference white is %f", name, v)
		}
	}
}

func TestSRGBNeedsNoConversion(t *testing.T) {
	if FromCoding(Coding{Primaries: 1, Transfer: 13}) != nil || FromCoding(Coding{Primaries: 2, Transfer: 2}) != nil {
		t.Error("sRGB is converted")
	}
	var none *Transform
	row := []uint8{1, 2, 3, 4}
	none.Apply(row)
	none.ApplyDeep([]uint16{1, 2, 3, 4})
	if !bytes.Equal(row, []uint8{1, 2, 3, 4}) {
		t.Error("nil changes pixels")
	}
}

// Eight and 16 bits agree, and alpha stays.
func TestDepthsAgree(t *testing.T) {
	to := FromCoding(Coding{Primaries: 12, Transfer: 13})
	for i := range 4096 {
		row := []uint8{uint8(i & 15 * 17), uint8(i >> 4 & 15 * 17), uint8(i >> 8 * 17), uint8(i)}
		deep := make([]uint16, 4)
		for c, v := range row {
			deep[c] = uint16(v) * 257
		}
		to.Apply(row)
		to.ApplyDeep(deep)
		for c, v := range row {
			if d := (int(deep[c])+128)/257 - int(v); d > 1 || d < -1 {
				t.Fatalf("%v in 16 bits is %v", row, deep)
			}
		}
		if row[3] != uint8(i) {
			t.Fatal("alpha changed")
		}
	}
}

func FuzzFromProfile(f *testing.F) {
	f.Add([]byte("acsp"))
	head := make([]byte, 200)
	copy(head[16:], "RGB ")
	copy(head[36:], "acsp")
	head[131] = 5
	copy(head[132:], "rXYZ\x00\x00\x00\x80\x00\x00\x00\x14")
	f.Add(head)
	f.Fuzz(func(t *testing.T, icc []byte) {
		to := FromProfile(icc)
		row := []uint8{0, 100, 255, 77}
		deep := []uint16{0, 1000, 65535, 77}
		to.Apply(row)
		to.ApplyDeep(deep)
		if row[3] != 77 || deep[3] != 77 {
			t.Fatal("alpha changed")
		}
	})
}

// inkProfile is a CMYK profile whose inks darken the paper evenly: a grid of
// two, so L is 100 without ink and 10 with all of any of them.
func inkProfile(kind string) []byte {
	sample := func(b []byte, v float64) []byte { return append(b, uint8(v*255)) }
	tag := append([]byte(kind), 0, 0, 0, 0, 4, 3, 2, 0)
	tag = append(tag, make([]byte, 36)...)
	if kind == "mft2" {
		tag = append(tag, 0, 2, 0, 2)
		sample = func(b []byte, v float64) []byte { return append(b, uint8(v*255), 0) } // of 0xff00
	}
	ramps := func(n int) {
		for range n {
			if kind == "mft2" {
				tag = append(tag, 0, 0, 0xff, 0xff)
				continue
			}
			for i := range 256 {
				tag = append(tag, uint8(i))
			}
		}
	}
	ramps(4)
	for node := range 16 {
		light := 1.0
		if node > 0 {
			light = 0.1
		}
		tag = sample(sample(sample(tag, light), 128.0/255), 128.0/255)
	}
	ramps(3)
	icc := make([]byte, 144)
	copy(icc[16:], "CMYKLab ")
	copy(icc[36:], "acsp")
	icc[131] = 1
	copy(icc[132:], "A2B0\x00\x00\x00\x90")
	icc[142], icc[143] = uint8(len(tag)>>8), uint8(len(tag))
	return append(icc, tag...)
}

func TestInks(t *testing.T) {
	for _, kind := range []string{"mft1", "mft2"} {
		x := FromInks(inkProfile(kind))
		if x == nil {
			t.Fatal(kind)
		}
		dst := make([]uint8, 12)
		x.Row([]uint8{0, 0, 0, 0, 255, 0, 0, 255, 0, 0, 0, 128}, dst)
		for i, want := range []uint8{255, 0, 127} {
			for c := range 3 {
				if d := int(dst[4*i+c]) - int(want); d > 3 || d < -3 {
					t.Errorf("%s: mixture %d is %v, not %d", kind, i, dst[4*i:4*i+4], want)
				}
			}
		}
		for n := range inkProfile(kind) {
			FromInks(inkProfile(kind)[:n])
		}
	}
}

func FuzzFromInks(f *testing.F) {
	f.Add(inkProfile("mft1"), []byte{1, 2, 3, 4})
	f.Add(inkProfile("mft2"), []byte{255, 0, 9, 9})
	f.Fuzz(func(t *testing.T, icc, ink []byte) {
		if x := FromInks(icc); x != nil && len(ink) == 4 {
			x.Row(ink, make([]uint8, 4))
		}
	})
}
