package heif

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
)

func box(kind string, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(body)+8)), []byte(kind), body)
}

func ispe(width, height uint32) []byte {
	return box("ispe", make([]byte, 4), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height))
}

// file makes a header whose primary item has these properties, in this order.
func file(properties ...[]byte) []byte {
	links := []byte{0, 0, 0, 0, 0, 0, 0, 1, 0, 7, byte(len(properties))}
	for i := range properties {
		links = append(links, byte(i+1)|0x80)
	}
	meta := box("meta", make([]byte, 4), box("pitm", []byte{0, 0, 0, 0, 0, 7}),
		box("iprp", box("ipco", properties...), box("ipma", links)))
	return slices.Concat(box("ftyp", []byte("avif\x00\x00\x00\x00mif1heic")), meta)
}

func TestRead(t *testing.T) {
	nclx := box("colr", []byte("nclx\x00\x0c\x00\x0d\x00\x06\x80"))
	profile := box("colr", []byte("profICC"))
	p, err := Read(file(ispe(40, 30), box("pixi", []byte{0, 0, 0, 0, 3, 10, 10, 10}), nclx, profile, box("irot", []byte{3})))
	if err != nil {
		t.Fatal(err)
	}
	if p.Width != 40 || p.Height != 30 || p.Largest != 1200 || p.Depth != 10 || p.Turns != 3 || string(p.Profile) != "ICC" {
		t.Errorf("%+v", p)
	}
	if c := p.Coding; c == nil || c.Primaries != 12 || c.Transfer != 13 || c.MatrixCode != 6 || !c.FullRange {
		t.Errorf("%+v", c)
	}
	if brands := Brands(file()); !slices.Equal(brands, []string{"avif", "mif1", "heic"}) {
		t.Error(brands)
	}
}

// Corner checks each combination by following the top left pixel and its right
// neighbour.
func TestOrientation(t *testing.T) {
	type point struct{ x, y int }
	for turns := range 4 {
		for _, mirror := range []byte{0, 'v', 'h'} {
			const w, h = 5, 3
			a, b, size := point{0, 0}, point{1, 0}, point{w, h}
			for range turns { // anticlockwise
				a, b = point{a.y, size.x - 1 - a.x}, point{b.y, size.x - 1 - b.x}
				size = point{size.y, size.x}
			}
			switch mirror {
			case 'v':
				a.y, b.y = size.y-1-a.y, size.y-1-b.y
			case 'h':
				a.x, b.x = size.x-1-a.x, size.x-1-b.x
			}
			// EXIF's eight, by where the first row starts and runs.
			exif := map[[4]int]int{
				{0, 0, 1, 0}: 1, {1, 0, -1, 0}: 2, {1, 1, -1, 0}: 3, {0, 1, 1, 0}: 4,
				{0, 0, 0, 1}: 5, {1, 0, 0, 1}: 6, {1, 1, 0, -1}: 7, {0, 1, 0, -1}: 8,
			}
			want := exif[[4]int{min(a.x, 1), min(a.y, 1), b.x - a.x, b.y - a.y}]
			if got := (Picture{Turns: turns, Mirror: mirror}).Orientation(); got != want {
				t.Errorf("%d turns, mirror %q: %d, not %d", turns, mirror, got, want)
			}
		}
	}
}

func TestBroken(t *testing.T) {
	whole := file(ispe(40, 30))
	for n := range whole {
		if _, err := Read(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes are a header", n, len(whole))
		}
	}
	cutOff := append(file(ispe(40, 30)), "\x00\x01\x00\x00mdat"...)
	if _, err := Read(cutOff); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	for name, data := range map[string][]byte{
		"no size":   file(box("irot", []byte{1})),
		"huge size": file(ispe(1<<31, 5)),
		"box of 4":  append(file(ispe(4, 4)), 0, 0, 0, 4, 'f', 'r', 'e', 'e'),
	} {
		if _, err := Read(data); err == nil {
			t.Errorf("%s is a header", name)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(ispe(40, 30), box("irot", []byte{3}), box("imir", []byte{1})))
	for _, name := range []string{"plain.avif", "plain.heic"} {
		data, err := os.ReadFile("../../testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		Brands(data)
		p, err := Read(data)
		if o := p.Orientation(); o < 1 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
		if err == nil && (p.Width <= 0 || p.Height <= 0 || int64(p.Width)*int64(p.Height) > p.Largest) {
			t.Fatalf("%+v", p)
		}
	})
}
