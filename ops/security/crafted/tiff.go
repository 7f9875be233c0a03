package crafted

import (
	"math"
	"slices"
)

// entry is one of a TIFF's directory, its values in the order of bytes of Intel.
type entry struct {
	tag, kind, count int
	value            []byte // longer than four bytes: behind the directory
}

func short(tag, v int) entry { return entry{tag, 3, 1, le32(v)} }
func long(tag, v int) entry  { return entry{tag, 4, 1, le32(v)} }

func longs(tag, count int, v func(i int) int) entry {
	var out []byte
	for i := range count {
		out = append(out, le32(v(i))...)
	}
	return entry{tag, 4, count, out}
}

// tiff puts data behind the header, at offset 8, and the directory behind it.
func tiff(data []byte, entries ...entry) []byte {
	slices.SortFunc(entries, func(a, b entry) int { return a.tag - b.tag })
	at := 8 + len(data)
	behind := at + 2 + 12*len(entries) + 4
	directory, values := le16(len(entries)), []byte(nil)
	for _, e := range entries {
		directory = cat(directory, le16(e.tag), le16(e.kind), le32(e.count))
		if len(e.value) <= 4 {
			directory = append(directory, append(e.value, make([]byte, 4-len(e.value))...)...)
			continue
		}
		directory = append(directory, le32(behind+len(values))...)
		values = append(values, e.value...)
	}
	return cat([]byte("II*\x00"), le32(at), data, directory, le32(0), values)
}

// grey is a picture of one sample a pixel in strips that are all the same bytes.
func grey(width, height, rows, compression, bits int, data []byte, more ...entry) []byte {
	n := (height + rows - 1) / rows
	return tiff(data, append(more, long(256, width), long(257, height), short(258, bits), short(259, compression), short(262, 1), long(278, rows),
		longs(273, n, func(int) int { return 8 }), longs(279, n, func(int) int { return len(data) }))...)
}

// tiles is a picture of tiles of 8 x 8 pixels, of the same bytes each; shared
// says whether they are in the file once.
func tiles(count, compression int, data []byte, shared bool) []byte {
	across := int(math.Sqrt(float64(count)))
	down := across
	size, step := len(data), 0
	if !shared {
		data, step = fill(data, across*down*size), size
	}
	return tiff(data, long(256, 8*across), long(257, 8*down), short(258, 8), short(259, compression), short(262, 1), long(322, 8), long(323, 8),
		longs(324, across*down, func(i int) int { return 8 + i*step }), longs(325, across*down, func(int) int { return size }))
}

// packed is LZW of so many zeros, begun again before codes get wider
// than nine bits.
func packed(size int) []byte {
	const clearTable, firstCode = 256, 258
	var out []byte
	held, n := uint32(0), 0
	put := func(code int) {
		held = held<<9 | uint32(code)
		for n += 9; n >= 8; n -= 8 {
			out = append(out, byte(held>>(n-8)))
		}
	}
	for size > 0 {
		put(clearTable)
		put(0)
		size--
		for code := firstCode; code < 510 && size >= code-firstCode+2; code++ {
			put(code)
			size -= code - firstCode + 2
		}
	}
	put(257)
	put(0)
	return out
}

func tiffs() []File {
	const plain, fax, lzwCode, deflate, packBits = 1, 4, 5, 8, 32773
	return []File{
		{"tiff wide", still(tiff(nil, long(256, 1<<31), long(257, 1), short(258, 8), short(262, 1)))},
		{"tiff tall", still(tiff(nil, long(256, 1), long(257, 50_000_000), short(258, 8), short(262, 1), long(278, 1)))},
		{"tiff 32767 wide", func(s Scale) []byte {
			return grey(32767, s.rows(), s.rows(), deflate, 8, deflated(nil, 32767*s.rows()))
		}},
		{"tiff of tiles", func(s Scale) []byte { return tiles(s.Bytes/24, deflate, deflated(nil, 64), false) }},
		{"tiff of as many tiles as may be", func(s Scale) []byte { return tiles(min(1<<16, s.Bytes/24), deflate, deflated(nil, 64), false) }},
		{"tiff of tiles that share much", func(s Scale) []byte { return tiles(4096, deflate, emptyBlocks(s.Bytes), true) }},
		{"tiff of rows that share much", func(s Scale) []byte { return grey(16, 4096, 1, deflate, 8, emptyBlocks(s.Bytes)) }},
		{"tiff of one strip that goes on", func(s Scale) []byte {
			n := s.side()
			return grey(n, n, n, deflate, 1, deflated(nil, 8*n*n))
		}},
		{"tiff of one strip", func(s Scale) []byte { n := s.side(); return grey(n, n, n, deflate, 8, deflated(nil, n*n)) }},
		{"tiff of one strip, lzw", func(s Scale) []byte { n := s.side(); return grey(n, n, n, lzwCode, 8, packed(n*n)) }},
		{"tiff of one strip, packed", func(s Scale) []byte { n := s.side(); return grey(n, n, n, packBits, 1, fill([]byte{0x81, 0}, s.Bytes)) }},
		{"tiff of 16 bits", func(s Scale) []byte {
			n := s.side()
			return grey(n, n, n, deflate, 16, deflated(nil, 2*n*n), short(317, 2))
		}},
		{"tiff of a fax", func(s Scale) []byte { n := s.side(); return grey(n, n, n, fax, 1, fill([]byte{0xff}, s.Bytes)) }},
		{"tiff of long values", func(s Scale) []byte {
			var all []entry
			for _, tag := range []int{258, 259, 262, 266, 277, 278, 322, 323, 338, 339} {
				all = append(all, entry{tag, 1, s.Bytes, nil})
			}
			for i := range all {
				all[i].value = le32(8)
			}
			return tiff(make([]byte, s.Bytes), append(all, long(256, 16), long(257, 16))...)
		}},
		{"tiff of a profile", func(s Scale) []byte {
			return grey(16, 16, 16, plain, 8, make([]byte, 256), entry{34675, 7, 4 << 20, curves(4 << 20)})
		}},
		{"tiff of entries", still(cat([]byte("II*\x00"), le32(8), le16(65535), make([]byte, 12*65535)))},
		{"tiff of itself", still(cat([]byte("MM\x00*"), be32(8), be16(65535), be32(8)))},
	}
}

// emptyBlocks is a deflate stream of so many bytes that stands for nothing.
func emptyBlocks(size int) []byte {
	return cat([]byte{0x78, 0x01}, fill([]byte{0, 0, 0, 0xff, 0xff}, size), []byte{1, 0, 0, 0xff, 0xff, 0, 0, 0, 1})
}
