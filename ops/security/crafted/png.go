package crafted

import (
	"bytes"
	"compress/zlib"
	"hash/crc32"
	"io"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

// chunk is one chunk of a PNG.
func chunk(name string, body []byte) []byte {
	named := cat([]byte(name), body)
	return cat(be32(len(body)), named, be32(int(crc32.ChecksumIEEE(named))))
}

// png is a picture with chunks before its pixels, which are all zero and as many
// bytes as given.
func png(width, height int, depth, kind, interlaced byte, pixels int, chunks ...[]byte) []byte {
	head := chunk("IHDR", cat(be32(width), be32(height), []byte{depth, kind, 0, 0, interlaced}))
	return cat([]byte(pngMagic), head, cat(chunks...), chunk("IDAT", deflated(nil, pixels)), chunk("IEND", nil))
}

// deflated compresses a start and so many zeros.
func deflated(start []byte, zeros int) []byte {
	var out bytes.Buffer
	z, _ := zlib.NewWriterLevel(&out, zlib.BestSpeed)
	_, _ = z.Write(start)
	_, _ = io.CopyN(z, zeroes{}, int64(zeros))
	_ = z.Close()
	return out.Bytes()
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// square is a PNG of all the pixels that the scale allows.
func square(depth, kind byte, bytesPerPixel int, chunks ...[]byte) func(Scale) []byte {
	return func(s Scale) []byte {
		n := s.side()
		return png(n, n, depth, kind, 0, n*(n*bytesPerPixel+1), chunks...)
	}
}

func pngs() []File {
	palette := chunk("PLTE", make([]byte, 768))
	icc := func(profile []byte, zeros int) []byte {
		return chunk("iCCP", cat([]byte("x\x00\x00"), deflated(profile, zeros)))
	}
	many := func(piece []byte) func(Scale) []byte {
		return func(s Scale) []byte { return png(16, 16, 8, 2, 0, 16*49, fill(piece, s.Bytes)) }
	}
	return []File{
		{"png wide", still(png(50_000_000, 1, 8, 0, 0, 1000))},
		{"png tall", still(png(1, 50_000_000, 8, 0, 0, 1000))},
		{"png wide and whole", func(s Scale) []byte { return png(s.Pixels, 1, 8, 0, 0, s.Pixels+1) }},
		{"png tall and whole", func(s Scale) []byte { return png(1, s.Pixels, 8, 0, 0, 2*s.Pixels) }},
		{"png 32767 wide", func(s Scale) []byte { return png(32767, s.rows(), 8, 6, 0, s.rows()*(4*32767+1)) }},
		{"png 32767 tall, 16 bits", func(s Scale) []byte { return png(s.rows(), 32767, 16, 2, 0, 32767*(6*(s.rows())+1)) }},
		{"png of the largest sides", still(png(1<<31-1, 1<<31-1, 8, 6, 0, 100))},
		{"png 65536 x 65536", still(png(65536, 65536, 8, 6, 0, 1<<20))},
		{"png of black", square(8, 6, 4)},
		{"png of black, 16 bits", square(16, 6, 8)},
		{"png of black, palette", square(8, 3, 1, palette)},
		{"png of black, interlaced", func(s Scale) []byte {
			n := s.side() &^ 7
			rows := n/8 + n/8 + n/8 + n/4 + n/4 + n/2 + n/2 // of the seven passes
			return png(n, n, 8, 6, 1, 4*n*n+rows)
		}},
		{"png of black, turned", square(8, 6, 4, chunk("eXIf", exif(1)[:10]))},
		{"png of colour profiles", many(icc(make([]byte, 600), 1_000_000))},
		{"png of one profile too large", still(png(16, 16, 8, 2, 0, 16*49, icc(nil, 50<<20)))},
		{"png of long curves", still(png(16, 16, 8, 2, 0, 16*49, icc(curves(1<<20), 0)))},
		{"png of texts", many(chunk("zTXt", cat([]byte("x\x00\x00"), deflated(nil, 1<<20))))},
		{"png of empty chunks", many(chunk("tEXt", nil))},
		{"png of empty pixels", many(chunk("IDAT", nil))},
		{"png of exif", many(chunk("eXIf", exif(1000)))},
		{"png of a chunk of 4 GB", still(cat([]byte(pngMagic), be32(13), []byte("IHDR"), be32(9), be32(9), []byte{8, 2, 0, 0, 0}, be32(0), be32(-1), []byte("IDAT")))},
		{"png without an end", still(png(16, 16, 8, 2, 0, 16*49)[:70])},
	}
}
