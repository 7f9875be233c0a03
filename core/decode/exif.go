package decode

import (
	"encoding/binary"
	"errors"
)

// TIFF and EXIF tags used here.
const (
	tagWidth       = 256
	tagHeight      = 257
	tagBits        = 258
	tagOrientation = 274
	tagSamples     = 277
	tagTileWidth   = 322
	tagTileHeight  = 323
	tagProfile     = 34675
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

// value returns the bytes of a tag's value and the size of one item of it.
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
		if at+length > int64(len(d.data)) {
			return nil, 0
		}
		return d.data[at : at+length], size
	}
	return nil, 0
}

// number returns the first item of a tag's value, or the default.
func (d directory) number(tag uint16, otherwise int) int {
	v, size := d.value(tag)
	switch {
	case len(v) < size || size == 0:
		return otherwise
	case size == 1:
		return int(v[0])
	case size == 2:
		return int(d.order.Uint16(v))
	}
	return int(d.order.Uint32(v))
}

// exifOrientation reads the orientation from an EXIF block, 1 where it is
// missing or damaged: broken EXIF must not cost anyone their photo.
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
