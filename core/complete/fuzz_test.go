package complete_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"bgremover.pro/core/complete"
	"bgremover.pro/core/cutout"
)

// Whatever a photo, its mask and its seeds are: no panic, the same answer each time,
// seeds obeyed, and nothing changed where nothing was said. Bytes stand for samples;
// noise fills up what is missing of them.
func FuzzComplete(f *testing.F) {
	f.Add(uint16(3), uint16(2), uint8(0), []byte{255, 0, 0, 255, 0, 0}, []byte{0, 255}, []byte{1, 2, 0})
	f.Add(uint16(1), uint16(20000), uint8(1), []byte{}, []byte{0}, []byte{1, 0, 2})
	f.Add(uint16(20000), uint16(1), uint8(3), []byte{7}, []byte{255}, []byte{2, 2, 2, 2})
	f.Add(uint16(1), uint16(1), uint8(2), []byte{1, 2, 3, 4}, []byte{128}, []byte{1})
	f.Add(uint16(199), uint16(149), uint8(0), []byte("noise"), []byte{}, []byte{0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, width, height uint16, kind uint8, colours, levels, said []byte) {
		w, h := 1+int(width)%20000, 1+int(height)%20000
		if w*h > 40_000 { // narrow photos may be long, others stay small
			w, h = 1+w%200, 1+h%150
		}
		random := rand.New(rand.NewPCG(uint64(kind), 7))
		fill := func(pix, from []byte) {
			copy(pix, from)
			for i := len(from); i < len(pix); i++ {
				switch kind & 3 {
				case 0:
					pix[i] = uint8(random.Uint32())
				case 1:
					pix[i] = uint8(i)
				case 2:
					pix[i] = 255
				}
			}
		}
		photo := &cutout.Photo{Width: w, Height: h, Pix: make([]uint8, 4*w*h), Opaque: true}
		fill(photo.Pix, colours)
		m := &cutout.Mask{Width: w, Height: h, Pix: make([]uint8, w*h)}
		fill(m.Pix, levels)
		seeds := &cutout.Seeds{Width: w, Height: h, Pix: make([]cutout.Seed, w*h)}
		for i, b := range said {
			seeds.Pix[i*len(seeds.Pix)/len(said)] = cutout.Seed(b % 3)
		}
		before := bytes.Clone(m.Pix)
		one, err := complete.Complete(context.Background(), photo, m, seeds)
		if err != nil {
			t.Fatal(err)
		}
		two, err := complete.Complete(context.Background(), photo, m, seeds)
		if err != nil || !bytes.Equal(one.Pix, two.Pix) || !bytes.Equal(before, m.Pix) {
			t.Fatalf("two answers, or the mask was changed (%v)", err)
		}
		if seeds.Empty() && one != m {
			t.Fatal("nothing was said, and the mask is another")
		}
		if max(w, h) > 320 || seeds.Empty() {
			return // the copy is smaller than the seeds
		}
		for i, seed := range seeds.Pix {
			if seed == cutout.Keep && one.Pix[i] != 255 || seed == cutout.Remove && one.Pix[i] != 0 {
				t.Fatalf("pixel %d: seed %d, level %d", i, seed, one.Pix[i])
			}
		}
	})
}
