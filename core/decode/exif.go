package decode

import (
	"encoding/binary"
	"errors"
)

// TIFF and EXIF tags used here.
const (
	tagWidth        = 256
	tagHeight       = 257
	tagBits         = 258
	tagCompression  = 259
	tagStripOffsets = 273
	tagOrientation  = 274
	tagSamples      = 277
	tagRowsPerStrip = 278
	tagStripCounts  = 279
	tagTileWidth    = 322
	tagTileHeight   = 323
	tagTileOffsets  = 324
	tagTileCounts   = 325
	tagProfile      = 34675
)

// directory is the first image file directory of a TIFF file or an EXIF block;
// further ones are never followed, so none can loop.
type directory struct {
	data    []byte
	order   binary.ByteOrder
	entries []byte // of 12 bytes each
}

func readDirectory(data []byte) (directory, error) {
	broken := errors.New("damaged TIFF directory")
	if len(data) < 8 {
		return directory{}, broken
	}
	d := directory{data: data}
	switch string(data[:4]) {
	case "II*\x00":
		d.order = binary.LittleEndian
	case "MM\x00*":
		d.order = binary.BigEndian
	default:
		return directory{}, broken
	}
	at := int64(d.order.Uint32(data[4:]))
	if at+2 > int64(len(data)) {
		return directory{}, broken
	}
	count := int64(d.order.Uint16(data[at:]))
	end := min(at+2+12*count, int64(len(data)))
	d.entries = data[at+2 : end]
	return d, nil
}

// value returns the bytes of a tag's value, as far as the file holds them, and
// the size of one item of it.
func (d directory) value(tag uint16) (value []byte, size int) {
	for e := d.entries; len(e) >= 12; e = e[12:] {
		if d.order.Uint16(e) != tag {
			continue
		}
		switch d.order.Uint16(e[2:]) {
		case 1, 2, 6, 7:
			size = 1
		case 3, 8:
			size = 2
		case 4, 9:
			size = 4
		default:
			return nil, 0
		}
		length := int64(size) * int64(d.order.Uint32(e[4:]))
		if length <= 4 {
			return e[8 : 8+length], size
		}
		at := int64(d.order.Uint32(e[8:]))
		if at > int64(len(d.data)) {
			return nil, 0
		}
		return d.data[at:min(at+length, int64(len(d.data)))], size
	}
	return nil, 0
}

// numbers are the items of a tag's value, still in the file.
type numbers struct {
	order binary.ByteOrder
	data  []byte
	size  int
}

func (d directory) numbers(tag uint16) numbers {
	value, size := d.value(tag)
	return numbers{d.order, value, size}
}

func (n numbers) len() int {
	if n.size == 0 {
		return 0
	}
	return len(n.data) / n.size
}

func (n numbers) at(i int) int {
	item := n.data[i*n.size:]
	switch n.size {
	case 1:
		return int(item[0])
	case 2:
		return int(n.order.Uint16(item))
	}
	return int(n.order.Uint32(item))
}

// number returns the first item of a tag's value, or the default.
func (d directory) number(tag uint16, otherwise int) int {
	if n := d.numbers(tag); n.len() > 0 {
		return n.at(0)
	}
	return otherwise
}

// exifOrientation reads the orientation from an EXIF block, 1 where it is
// missing or damaged: damaged EXIF must not fail a photo.
func exifOrientation(exif []byte) int {
	d, err := readDirectory(exif)
	if err != nil {
		return 1
	}
	if o := d.number(tagOrientation, 1); o >= 1 && o <= 8 {
		return o
	}
	return 1
}
