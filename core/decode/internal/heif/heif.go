// Package heif reads the header of a HEIF file (ISO/IEC 23008-12), which HEIC
// and AVIF pictures are, as far as is needed before its pixels are decoded.
package heif

import (
	"encoding/binary"
	"errors"
	"io"

	"bgremover.pro/core/decode/internal/colour"
)

// Picture describes a file's primary item.
type Picture struct {
	// Width and Height are as coded, before it is turned.
	Width, Height int
	// Largest is the most pixels that any item in the file claims to have.
	Largest int64
	Depth   int // bits a channel
	// Turns counts quarter turns anticlockwise. Mirror, which comes after
	// them, is 0 for none, 'v' for upside down, 'h' for left to right.
	Turns   int
	Mirror  byte
	Profile []byte
	Coding  *colour.Coding
}

var errBroken = errors.New("damaged HEIF boxes")

// What a file may have beside its pixels: the codecs' work and memory go by
// these, too. Phones write some KB, 50 to 500 items and 10 properties; a grid of
// 256 by 256 tiles, the most there can be, is not written by anything known.
const (
	maxMeta       = 4 << 20
	maxItems      = 4096
	maxProperties = 1024
	maxLinks      = 255 // of one item; they are counted in a byte
	maxSide       = 1 << 30
)

var errTooMany = errors.New("too many HEIF boxes, items or properties")

// Brands lists a file's brands, the major one first; nil if it is no HEIF or
// MP4 file.
func Brands(data []byte) []string {
	if len(data) < 16 || string(data[4:8]) != "ftyp" {
		return nil
	}
	size := min(int(min(1024, binary.BigEndian.Uint32(data))), len(data))
	if size < 16 {
		return nil
	}
	brands := []string{string(data[8:12])}
	for at := 16; at+4 <= size; at += 4 {
		brands = append(brands, string(data[at:at+4]))
	}
	return brands
}

// Read reads a file's header.
func Read(data []byte) (Picture, error) {
	var meta []byte
	err := boxes(data, func(kind string, body []byte) error {
		if kind == "meta" && meta == nil && len(body) >= 4 {
			meta = body[4:]
		}
		return nil
	})
	if err != nil {
		return Picture{}, err
	}
	switch {
	case meta == nil:
		return Picture{}, errBroken
	case len(meta) > maxMeta:
		return Picture{}, errTooMany
	}
	var r index
	if err := boxes(meta, r.meta); err != nil {
		return Picture{}, err
	}
	return r.picture()
}

// boxes calls visit for each box in a row of boxes. A box longer than what is
// there means a file cut off.
func boxes(data []byte, visit func(kind string, body []byte) error) error {
	for len(data) >= 8 {
		size, head := uint64(binary.BigEndian.Uint32(data)), uint64(8)
		if size == 1 && len(data) >= 16 {
			size, head = binary.BigEndian.Uint64(data[8:]), 16
		}
		if size == 0 {
			size = uint64(len(data)) // to the end
		}
		if size < head {
			return errBroken
		}
		if size > uint64(len(data)) {
			return io.ErrUnexpectedEOF
		}
		if err := visit(string(data[4:8]), data[head:size]); err != nil {
			return err
		}
		data = data[size:]
	}
	return nil
}

// index is what the meta box says about items and their properties.
type index struct {
	primary    uint32
	properties []property
	// links are the ipma boxes: for each item its places in properties.
	links [][]byte
}

type property struct {
	kind string
	body []byte
}

func (x *index) meta(kind string, body []byte) error {
	switch kind {
	case "pitm":
		switch {
		case len(body) >= 8 && body[0] > 0:
			x.primary = binary.BigEndian.Uint32(body[4:])
		case len(body) >= 6:
			x.primary = uint32(binary.BigEndian.Uint16(body[4:]))
		}
	case "iinf":
		return countItems(body)
	case "iprp":
		return boxes(body, func(kind string, body []byte) error {
			switch kind {
			case "ipco":
				return boxes(body, func(kind string, body []byte) error {
					if len(x.properties) == maxProperties {
						return errTooMany
					}
					x.properties = append(x.properties, property{kind, body})
					return nil
				})
			case "ipma":
				x.links = append(x.links, body)
			}
			return nil
		})
	}
	return nil
}

// countItems reads how many items an iinf box announces.
func countItems(body []byte) error {
	r := bits{body}
	version, size := r.uint(1), 2
	r.uint(3)
	if version > 0 {
		size = 4
	}
	if r.uint(size) > maxItems {
		return errTooMany
	}
	return nil
}

// of returns an item's places in properties, counted from 1, in order.
func (x *index) of(item uint32) ([]int, error) {
	var places []int
	items := 0
	for _, body := range x.links {
		r := bits{body}
		version, flags := r.uint(1), r.uint(3)
		for range r.uint(4) {
			size, width := 2, 1
			if version > 0 {
				size = 4
			}
			if flags&1 != 0 {
				width = 2
			}
			this := r.uint(size)
			links := bits{r.take(int(r.uint(1)) * width)}
			if items++; items > maxItems {
				return nil, errTooMany
			}
			if r.data == nil {
				return nil, errBroken
			}
			for this == item && len(links.data) > 0 && len(places) < maxLinks {
				places = append(places, int(links.uint(width))&(1<<(8*width-1)-1))
			}
		}
	}
	return places, nil
}

// bits takes big-endian numbers off a box; data is nil once there were too few.
type bits struct{ data []byte }

func (r *bits) uint(size int) uint32 {
	if len(r.data) < size {
		r.data = nil
		return 0
	}
	var v uint32
	for _, b := range r.data[:size] {
		v = v<<8 | uint32(b)
	}
	r.data = r.data[size:]
	return v
}

func (r *bits) take(n int) []byte {
	if len(r.data) < n {
		r.data = nil
		return nil
	}
	head := r.data[:n]
	r.data = r.data[n:]
	return head
}

func (x *index) picture() (Picture, error) {
	p := Picture{Depth: 8}
	for _, prop := range x.properties {
		if prop.kind == "ispe" && len(prop.body) >= 12 {
			w, h := binary.BigEndian.Uint32(prop.body[4:]), binary.BigEndian.Uint32(prop.body[8:])
			if w > maxSide || h > maxSide {
				return p, errBroken
			}
			p.Largest = max(p.Largest, int64(w)*int64(h))
		}
	}
	places, err := x.of(x.primary)
	if err != nil {
		return p, err
	}
	for _, at := range places {
		if at >= 1 && at <= len(x.properties) {
			p.property(x.properties[at-1])
		}
	}
	if p.Width == 0 || p.Height == 0 {
		return p, errBroken
	}
	return p, nil
}

func (p *Picture) property(prop property) {
	body := prop.body
	switch {
	case prop.kind == "ispe" && len(body) >= 12:
		p.Width, p.Height = int(binary.BigEndian.Uint32(body[4:])), int(binary.BigEndian.Uint32(body[8:]))
	case prop.kind == "pixi" && len(body) >= 6:
		p.Depth = int(body[5])
	case prop.kind == "irot" && len(body) >= 1:
		p.Turns = int(body[0] & 3)
	case prop.kind == "imir" && len(body) >= 1:
		p.Mirror = "vh"[body[0]&1]
	case prop.kind == "colr" && len(body) >= 4:
		switch kind, body := string(body[:4]), body[4:]; {
		case kind == "prof", kind == "rICC":
			p.Profile = body
		case kind == "nclx" && len(body) >= 7:
			p.Coding = &colour.Coding{
				Primaries:  int(binary.BigEndian.Uint16(body)),
				Transfer:   int(binary.BigEndian.Uint16(body[2:])),
				MatrixCode: int(binary.BigEndian.Uint16(body[4:])),
				FullRange:  body[6]&0x80 != 0,
			}
		}
	}
}

// Orientation says as an EXIF orientation how the picture is to be turned.
func (p Picture) Orientation() int {
	switch p.Mirror {
	case 'v':
		return [4]int{4, 5, 2, 7}[p.Turns]
	case 'h':
		return [4]int{2, 7, 4, 5}[p.Turns]
	}
	return [4]int{1, 8, 3, 6}[p.Turns]
}
