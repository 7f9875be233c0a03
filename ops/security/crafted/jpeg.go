package crafted

// segment is one segment of a JPEG.
func segment(marker byte, body []byte) []byte {
	return cat([]byte{0xff, marker}, be16(len(body)+2), body)
}

// jpegTables are a quantisation table and two Huffman tables: 0 codes every
// category in one or two bits, 1 codes an end of blocks of 2^14 in one.
func jpegTables() []byte {
	table := func(class byte, first, second byte) []byte {
		counts := make([]byte, 16)
		counts[0], counts[1] = 1, 1
		return segment(0xc4, cat([]byte{class}, counts, []byte{first, second}))
	}
	return cat(segment(0xdb, cat([]byte{0}, fill([]byte{1}, 64))), table(0x00, 0, 1), table(0x10, 0, 1), table(0x11, 0xe0, 0))
}

// frame is a frame header of components that are not subsampled.
func frame(marker byte, width, height, components int) []byte {
	body := cat([]byte{8}, be16(height), be16(width), []byte{byte(components)})
	for c := range components {
		body = append(body, byte(c+1), 0x11, 0)
	}
	return segment(marker, body)
}

// passes are scans of a progressive JPEG that each walk over one component with
// hardly a byte: runs of 32767 blocks whose coefficients stay as they are.
func passes(width, height, components, scans int) []byte {
	blocks := ((width + 7) / 8) * ((height + 7) / 8)
	body := runs(blocks/32767 + 1)
	var out []byte
	for i := range scans {
		bits := byte(0x0d) // the first pass of a component's coefficients
		if i >= components {
			after := 13 - min(12, i/components-1)
			bits = byte(after<<4 | (after - 1))
		}
		out = cat(out, segment(0xda, []byte{1, byte(i%components + 1), 0x01, 1, 63, bits}), body)
	}
	return out
}

// runs codes so many runs of 2^15-1 blocks: a zero and 14 ones each.
func runs(count int) []byte {
	var out []byte
	held, n := 0, 0
	for range count {
		held = held<<15 | 0x3fff
		for n += 15; n >= 8; n -= 8 {
			b := byte(held >> (n - 8))
			if out = append(out, b); b == 0xff {
				out = append(out, 0)
			}
		}
		held &= 1<<n - 1
	}
	return append(out, byte(held<<(8-n)|(1<<(8-n)-1)), 0)
}

func progressive(components, scans int, extra ...[]byte) func(Scale) []byte {
	return func(s Scale) []byte {
		n := s.side()
		return cat([]byte("\xff\xd8"), cat(extra...), jpegTables(), frame(0xc2, n, n, components), passes(n, n, components, scans), []byte("\xff\xd9"))
	}
}

// baseline is a picture whose blocks are two bits each: its pixels, again and
// again, until the file is full.
func baseline(width, height int, extra ...[]byte) func(Scale) []byte {
	return func(s Scale) []byte {
		body := make([]byte, 1+((width+7)/8)*((height+7)/8)/4)
		scan := cat(segment(0xda, []byte{1, 1, 0, 0, 63, 0}), body)
		return cat([]byte("\xff\xd8"), cat(extra...), jpegTables(), frame(0xc0, width, height, 1), scan, []byte("\xff\xd9"))
	}
}

// printed is a picture of four inks with a colour profile, in as many segments as
// that takes.
func printed(profile []byte) func(Scale) []byte {
	return func(s Scale) []byte {
		n := s.side() / 2
		file := []byte("\xff\xd8")
		count := (len(profile) + 64999) / 65000
		for i := range count {
			piece := profile[i*65000 : min(len(profile), (i+1)*65000)]
			file = cat(file, segment(0xe2, cat([]byte("ICC_PROFILE\x00"), []byte{byte(i + 1), byte(count)}, piece)))
		}
		blocks := ((n + 7) / 8) * ((n + 7) / 8)
		scan := segment(0xda, []byte{4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0})
		return cat(file, jpegTables(), frame(0xc0, n, n, 4), scan, make([]byte, blocks+1), []byte("\xff\xd9"))
	}
}

func jpegs() []File {
	many := func(piece []byte) func(Scale) []byte {
		return func(s Scale) []byte { return baseline(16, 16, fill(piece, s.Bytes))(s) }
	}
	adobe := segment(0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x02"))
	return []File{
		{"jpeg wide", baseline(65535, 1)},
		{"jpeg tall", baseline(1, 65535)},
		{"jpeg 32767 wide", func(s Scale) []byte { return baseline(32767, s.rows())(s) }},
		{"jpeg 64250 x 64250", still(cat([]byte("\xff\xd8"), jpegTables(), frame(0xc0, 64250, 64250, 3), segment(0xda, []byte{1, 1, 0, 0, 63, 0}), make([]byte, 99)))},
		{"jpeg without height", baseline(16, 0)},
		{"jpeg of few scans", progressive(3, 30)},
		{"jpeg of a hundred scans", progressive(1, 100)},
		{"jpeg of a thousand scans", progressive(1, 1000)},
		{"jpeg of four inks, progressive", progressive(4, 24, adobe)},
		{"jpeg of repeated scans", func(s Scale) []byte {
			n := s.side()
			file := baseline(n, n)(s)
			scan := cat(segment(0xda, []byte{1, 1, 0, 0, 63, 0}), make([]byte, 1+n*n/256))
			return cat(file[:len(file)-2], fill(scan, s.Bytes))
		}},
		{"jpeg of four inks and the finest profile", printed(inks(25))},
		{"jpeg of four inks and too fine a profile", printed(inks(33))},
		{"jpeg of tables", many(segment(0xc4, cat([]byte{0}, []byte{1}, make([]byte, 15), []byte{0})))},
		{"jpeg of comments", many(segment(0xfe, nil))},
		{"jpeg of fill bytes", many([]byte{0xff})},
		{"jpeg of profile pieces", many(segment(0xe2, []byte("ICC_PROFILE\x00\x01\x01x")))},
		{"jpeg of a large profile", many(segment(0xe2, cat([]byte("ICC_PROFILE\x00\x01\xff"), make([]byte, 65000))))},
		{"jpeg of exif", many(segment(0xe1, cat([]byte("Exif\x00\x00"), exif(5000))))},
		{"jpeg cut off", func(s Scale) []byte { return baseline(999, 999)(s)[:300] }},
		{"jpeg of its first bytes", still([]byte("\xff\xd8\xff"))},
	}
}
