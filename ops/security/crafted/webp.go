package crafted

import (
	"math/bits"
	"math/rand/v2"
)

// riff is a chunk of a WebP.
func riff(name string, body []byte) []byte {
	out := cat([]byte(name), le32(len(body)), body)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

func webp(chunks ...[]byte) []byte {
	body := cat([]byte("WEBP"), cat(chunks...))
	return cat([]byte("RIFF"), le32(len(body)), body)
}

func canvas(flags byte, width, height int) []byte {
	return riff("VP8X", cat([]byte{flags, 0, 0, 0}, le24(width-1), le24(height-1)))
}

// bitWriter writes numbers, lowest bit first.
type bitWriter struct {
	out  []byte
	held uint64
	n    int
}

func (w *bitWriter) put(v uint64, count int) {
	w.held |= v << w.n
	for w.n += count; w.n >= 8; w.n -= 8 {
		w.out = append(w.out, byte(w.held))
		w.held >>= 8
	}
}

// trees puts five codes of a single symbol each, which then takes no bit.
func (w *bitWriter) trees(green uint64) {
	for _, symbol := range []uint64{green, 3, 5, 255, 0} {
		w.put(0b101, 3)
		w.put(symbol, 8)
	}
}

// lossless is a picture whose pixels take no bit at all, and with them three
// transforms over the whole of it.
func lossless(width, height int) []byte {
	w := &bitWriter{}
	w.put(0x2f, 8)
	w.put(uint64(width-1), 14)
	w.put(uint64(height-1), 14)
	w.put(1, 4)
	transforms(w)
	return w.out
}

func transforms(w *bitWriter) {
	const (
		predictor, crossColour, subtractGreen = 0, 1, 2
		largestTiles                          = 7
	)
	for kind, green := range [2]uint64{predictor: 11, crossColour: 77} {
		w.put(1|uint64(kind)<<1, 3)
		w.put(largestTiles, 3)
		w.put(0, 1)
		w.trees(green)
	}
	w.put(1|subtractGreen<<1, 3)
	w.put(0, 3) // no more transforms, no colour cache, one group of trees
	w.trees(9)
	w.put(0, 32)
}

// codes puts a code in which all of an alphabet's symbols have about the same
// length, said symbol by symbol.
func (w *bitWriter) codes(alphabet int) {
	short := bits.Len(uint(alphabet)) - 1
	order := [19]int{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	w.put(0, 1)
	w.put(15, 4) // nineteen lengths of code lengths: two have one bit
	for _, length := range order {
		if length == short || length == short+1 {
			w.put(1, 3)
		} else {
			w.put(0, 3)
		}
	}
	w.put(0, 1)
	for i := range alphabet {
		if i < 2<<short-alphabet {
			w.put(0, 1)
		} else {
			w.put(1, 1)
		}
	}
}

// groups is a picture whose meta-image names so many groups of trees, each as
// large as can be.
func groups(count int) []byte {
	const side, cacheBits = 256, 11
	w := &bitWriter{}
	w.put(0x2f, 8)
	w.put(side-1, 14)
	w.put(side-1, 14)
	w.put(1, 4)
	w.put(0, 1) // no transform
	w.put(1|cacheBits<<1, 5)
	w.put(1, 4) // groups by tiles of four pixels
	w.put(0, 1) // of the meta-image: no cache, codes of eight bits for green, to 232, and red
	w.codes(256 + 24)
	w.codes(256)
	for _, symbol := range []uint64{0, 255, 0} {
		w.put(0b101, 3)
		w.put(symbol, 8)
	}
	for i := range side / 4 * side / 4 {
		group := min(i/232<<8|i%232, count-1)
		w.put(uint64(bits.Reverse8(byte(min(group&255, 231)))), 8)
		w.put(uint64(bits.Reverse8(byte(group>>8))), 8)
	}
	for range count {
		for _, alphabet := range []int{256 + 24 + 1<<cacheBits, 256, 256, 256, 40} {
			w.codes(alphabet)
		}
	}
	w.put(0, 32)
	return w.out
}

// lossy is a picture of noise.
func lossy(width, height, size int) []byte {
	noise := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same file each time
	partition := min(1<<19-1, size/2)
	tag := 1<<4 | partition<<5
	out := cat(le24(tag), []byte("\x9d\x01\x2a"), le16(width), le16(height))
	for range min(1<<24, size) {
		out = append(out, byte(noise.Uint32()))
	}
	out[10], out[11], out[12] = 0, 0x3f, 0xff // the strongest filter
	return out
}

func webps() []File {
	square := func(make func(n int, s Scale) []byte) func(Scale) []byte {
		return func(s Scale) []byte { return make(min(16383, s.side()), s) }
	}
	many := func(piece []byte) func(Scale) []byte {
		return func(s Scale) []byte {
			return webp(canvas(0, 16, 16), fill(piece, s.Bytes), riff("VP8L", lossless(16, 16)))
		}
	}
	return []File{
		{"webp on a wide canvas", still(webp(canvas(2, 1<<24, 2), riff("ANMF", cat(make([]byte, 6), le24(0), le24(0), make([]byte, 4), riff("VP8L", lossless(1, 1))))))},
		{"webp on a large canvas", func(s Scale) []byte {
			return webp(canvas(2, 32767, s.rows()), riff("ANMF", cat(make([]byte, 6), le24(0), le24(0), make([]byte, 4), riff("VP8L", lossless(1, 1)))))
		}},
		{"webp lossless", square(func(n int, _ Scale) []byte { return webp(riff("VP8L", lossless(n, n))) })},
		{"webp lossless of 24 megapixels", func(s Scale) []byte { n := min(4898, s.side()); return webp(riff("VP8L", lossless(n, n))) }},
		{"webp of the largest sides", still(webp(riff("VP8L", lossless(16384, 16384))))},
		{"webp of trees", func(s Scale) []byte { return webp(riff("VP8L", groups(min(2600, max(1, s.Bytes/500))))) }},
		{"webp lossy", square(func(n int, s Scale) []byte { return webp(riff("VP8 ", lossy(n, n, s.Bytes))) })},
		{"webp lossy with alpha", square(func(n int, s Scale) []byte {
			w := &bitWriter{}
			transforms(w)
			return webp(canvas(16, n, n), riff("ALPH", cat([]byte{1 | 3<<2}, w.out)), riff("VP8 ", lossy(n, n, s.Bytes)))
		})},
		{"webp of frames", func(s Scale) []byte {
			one := riff("ANMF", cat(make([]byte, 6), le24(15), le24(15), make([]byte, 4), riff("VP8L", lossless(16, 16))))
			return webp(canvas(2, 16, 16), fill(one, s.Bytes))
		}},
		{"webp of chunks", many(riff("ABCD", nil))},
		{"webp of profiles", many(riff("ICCP", curves(1<<20)))},
		{"webp of exif", many(riff("EXIF", exif(5000)))},
		{"webp cut off", still(webp(riff("VP8L", lossless(99, 99)))[:20])},
	}
}
