// Package crafted makes files that try to cost a decoder more than they should:
// in every format, by sides, chunks, tiles, boxes, scans, colour profiles and
// frames. All are made by code, none is kept.
package crafted

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
)

// Scale is how large the files are made.
type Scale struct {
	Bytes  int // about how many a file may have
	Pixels int // about how many a file that is not about sides claims to have
}

// side returns that of a square picture.
func (s Scale) side() int { return int(math.Sqrt(float64(s.Pixels))) }

// rows returns how many of 32767 pixels there may be.
func (s Scale) rows() int { return max(1, s.Pixels/32767) }

// File is one crafted file.
type File struct {
	Name string
	// Make makes it; the same each time.
	Make func(Scale) []byte
}

// Files lists them all.
func Files() []File {
	return slices.Concat(pngs(), jpegs(), webps(), tiffs(), heifs(), others())
}

// still is a file that does not depend on the scale.
func still(data []byte) func(Scale) []byte {
	return func(Scale) []byte { return data }
}

func be32(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
func be16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }
func le32(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }
func le16(v int) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(v)) }
func le24(v int) []byte { return le32(v)[:3] }

func cat(parts ...[]byte) []byte { return slices.Concat(parts...) }

// fill repeats a piece until so many bytes are full.
func fill(piece []byte, size int) []byte {
	return bytes.Repeat(piece, max(1, size/len(piece)))
}

// profile is an ICC profile of a colour space, with the same body for every tag.
func profile(space string, size int, body []byte, tags ...string) []byte {
	head := make([]byte, 128)
	copy(head[16:], space)
	copy(head[20:], "Lab ")
	copy(head[36:], "acsp")
	at := 132 + 12*len(tags)
	table := be32(len(tags))
	for _, tag := range tags {
		table = cat(table, []byte(tag), be32(at), be32(len(body)))
	}
	out := cat(head, table, body)
	return append(out, make([]byte, max(0, size-len(out)))...)
}

// curves is a profile whose three curves have as many entries as fit.
func curves(size int) []byte {
	count := size/2 - 300
	body := cat([]byte("curv\x00\x00\x00\x00"), be32(count), make([]byte, 2*count))
	return profile("RGB ", size, body, "rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC")
}

// inks is a profile of four inks with a grid of so many steps.
func inks(steps int) []byte {
	body := make([]byte, 48+4*256+3*steps*steps*steps*steps+3*256)
	copy(body, "mft1")
	body[8], body[9], body[10] = 4, 3, byte(steps)
	return profile("CMYK", 0, body, "A2B0")
}

// exif is an EXIF block of so many entries whose second directory is the first.
func exif(entries int) []byte {
	out := []byte("MM\x00*\x00\x00\x00\x08")
	out = append(out, be16(entries)...)
	out = append(out, fill(cat(be16(0x0111), be16(4), be32(math.MaxInt32), be32(8)), 12*entries)...)
	return append(out, be32(8)...)
}
