package decode

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/image/tiff"
	"golang.org/x/image/tiff/lzw"
)

// How a TIFF's blocks, strips or tiles, are compressed.
const (
	tiffPlain    = 1
	tiffFax3     = 3
	tiffFax4     = 4
	tiffLZW      = 5
	tiffDeflate  = 8
	tiffPackBits = 32773
	tiffDeflate2 = 32946
)

const (
	// maxBlocks is how many a picture may have; of compressed ones each costs a
	// decompressor, some ten microseconds. Strips of one row are as many as rows.
	maxBlocks = 1 << 16
	// largeBlock is how many bytes the library may let a block unpack to, whatever
	// its pixels need, before it is looked at beforehand.
	largeBlock = 4 << 20
)

// blocks is how a TIFF's pixels lie in the file.
type blocks struct {
	width, height   int // of each in pixels
	count           int
	bits            int // a pixel
	compression     int
	offsets, counts numbers
}

func isTIFF(data []byte) bool {
	return bytes.HasPrefix(data, []byte("II*\x00")) || bytes.HasPrefix(data, []byte("MM\x00*"))
}

func probeTIFF(data []byte) (header, error) {
	d, err := readDirectory(data)
	if err != nil {
		return header{}, err
	}
	h := header{orientation: d.number(tagOrientation, 1)}
	h.profile, _ = d.value(tagProfile)
	h.Width, h.Height = d.number(tagWidth, 0), d.number(tagHeight, 0)
	bits := d.number(tagBits, 1)
	h.Depth = min(16, max(8, bits))
	samples := min(8, d.number(tagSamples, 1))
	if values := d.numbers(tagBits); values.len() > 1 {
		samples = min(8, values.len()) // the library goes by this
	}
	if h.Width <= 0 || h.Height <= 0 || bits > 32 {
		return header{}, errors.New("impossible size")
	}
	if h.blocks, err = d.blocks(h.Width, h.Height); err != nil {
		return h, err
	}
	h.blocks.bits = bits * samples
	pixels, block := area(h.Width, h.Height), area(h.blocks.width, h.blocks.height)
	wide := int64(h.Depth / 8)
	// One block is unpacked at a time, into a buffer that grows by doubling.
	h.Memory = pixels*(4*wide+4) + 3*min(8*block, max(largeBlock, int64(samples)*wide*block)) + 32*int64(h.blocks.count)
	if h.blocks.compression == tiffPlain {
		h.Memory += 2*int64(len(data)) + 10<<20 // read in pieces of 10 MB
	}
	return h, nil
}

// blocks reads where strips or tiles lie. What they take of the file together is
// bounded by the file: blocks that share their bytes cost each as much as all.
func (d directory) blocks(width, height int) (blocks, error) {
	b := blocks{width: width, height: height, compression: d.number(tagCompression, tiffPlain)}
	offsets, counts := d.numbers(tagStripOffsets), d.numbers(tagStripCounts)
	if tile := d.number(tagTileWidth, 0); tile > 0 {
		b.width, b.height = tile, d.number(tagTileHeight, 0)
		offsets, counts = d.numbers(tagTileOffsets), d.numbers(tagTileCounts)
	} else if rows := d.number(tagRowsPerStrip, 0); rows > 0 && rows < height {
		b.height = rows
	}
	if b.height <= 0 {
		return b, errors.New("blocks without height")
	}
	columns, rows := (int64(width)+int64(b.width)-1)/int64(b.width), (int64(height)+int64(b.height)-1)/int64(b.height)
	n := columns * rows
	if n > maxBlocks {
		return b, fmt.Errorf("%d strips or tiles", n)
	}
	b.count, b.offsets, b.counts = int(n), offsets, counts
	if offsets.len() < b.count || counts.len() < b.count {
		return b, errors.New("too few strips or tiles")
	}
	var total int64
	for i := range b.count {
		total += int64(counts.at(i))
	}
	if total > 2*int64(len(d.data)) {
		return b, errors.New("strips or tiles that share their bytes")
	}
	return b, nil
}

// check unpacks large blocks without keeping them: the library would keep eight
// bytes for each pixel if it got so many.
func (b blocks) check(ctx context.Context, data []byte) error {
	if 8*area(b.width, b.height) <= largeBlock {
		return nil
	}
	most := (int64(b.width)*int64(b.bits) + 7) / 8 * int64(b.height)
	for i := range b.count {
		at, n := int64(b.offsets.at(i)), int64(b.counts.at(i))
		if at+n > int64(len(data)) {
			return io.ErrUnexpectedEOF
		}
		in := newReader(ctx, data[at:at+n]).plain()
		var unpacked int64
		var err error
		switch b.compression {
		case tiffLZW:
			unpacked, err = io.CopyN(io.Discard, lzw.NewReader(in, lzw.MSB, 8), most+1)
		case tiffDeflate, tiffDeflate2:
			z, failed := zlib.NewReader(in)
			if failed != nil {
				return failed
			}
			unpacked, err = io.CopyN(io.Discard, z, most+1)
		case tiffPackBits:
			unpacked = packBits(data[at : at+n])
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if unpacked > most {
			return errors.New("a strip or tile unpacks to more than its pixels")
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	return nil
}

// packBits returns how many bytes a run-length coded block stands for.
func packBits(data []byte) int64 {
	var n int64
	for len(data) > 0 {
		length := 1
		switch code := int(int8(data[0])); {
		case code >= 0:
			n, length = n+int64(code+1), code+2
		case code > -128:
			n, length = n+int64(1-code), 2
		}
		data = data[min(len(data), length):]
	}
	return n
}

func decodeTIFF(ctx context.Context, data []byte, h header) (raster, error) {
	if err := h.blocks.check(ctx, data); err != nil {
		return raster{}, err
	}
	img, err := tiff.Decode(newReader(ctx, data))
	if err != nil {
		return raster{}, err
	}
	return newRaster(img)
}
