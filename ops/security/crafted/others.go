package crafted

import (
	"bytes"
	"compress/lzw"
	"io"
)

// gif is a canvas, with blocks on it.
func gif(width, height int, blocks ...[]byte) []byte {
	return cat([]byte("GIF89a"), le16(width), le16(height), []byte{0x80, 0, 0}, make([]byte, 6), cat(blocks...), []byte{0x3b})
}

// gifFrame is a frame of pixels of colour 0.
func gifFrame(width, height int, interlaced bool) []byte {
	var packed bytes.Buffer
	w := lzw.NewWriter(&packed, lzw.LSB, 2)
	_, _ = io.CopyN(w, zeroes{}, int64(width)*int64(height))
	_ = w.Close()
	flags := byte(0)
	if interlaced {
		flags = 0x40
	}
	out := cat([]byte{0x2c}, le16(0), le16(0), le16(width), le16(height), []byte{flags, 2})
	for data := packed.Bytes(); len(data) > 0; {
		n := min(255, len(data))
		out = append(append(out, byte(n)), data[:n]...)
		data = data[n:]
	}
	return append(out, 0)
}

// bmp is a picture of rows; those that are missing are zero as far as a size.
func bmp(width, height, bits, size int) []byte {
	head := cat(le32(40), le32(width), le32(height), le16(1), le16(bits), make([]byte, 24))
	palette := 0
	if bits <= 8 {
		palette = 4 << bits
	}
	at := 14 + len(head) + palette
	return cat([]byte("BM"), le32(at+size), le32(0), le32(at), head, make([]byte, palette+size))
}

func others() []File {
	gifs := func(interlaced bool) func(Scale) []byte {
		return func(s Scale) []byte { n := s.side(); return gif(n, n, gifFrame(n, n, interlaced)) }
	}
	return []File{
		{"gif wide", still(gif(65535, 1, gifFrame(65535, 1, false)))},
		{"gif tall", still(gif(1, 65535, gifFrame(1, 65535, true)))},
		{"gif of one colour", gifs(false)},
		{"gif interlaced", gifs(true)},
		{"gif of a small frame", func(s Scale) []byte { n := s.side(); return gif(n, n, gifFrame(1, 1, false)) }},
		{"gif of a frame outside", still(gif(9, 9, gifFrame(99, 99, false)))},
		{"gif of frames", func(s Scale) []byte { return gif(64, 64, fill(gifFrame(64, 64, false), s.Bytes)) }},
		{"gif of comments", func(s Scale) []byte {
			return gif(64, 64, fill([]byte{0x21, 0xfe, 1, 'x', 0}, s.Bytes), gifFrame(64, 64, false))
		}},
		{"bmp wide", still(bmp(50_000_000, 1, 8, 1000))},
		{"bmp tall", still(bmp(1, 50_000_000, 8, 1000))},
		{"bmp upside down", still(bmp(16, -16, 24, 768))},
		{"bmp of bits", func(s Scale) []byte { n := min(s.side(), 15_000); return bmp(n, n, 1, (n+31)/32*4*n) }},
		{"bmp of the largest sides", still(bmp(1<<31-1, 1<<31-1, 1, 1000))},
		{"bmp of bad width", still(bmp(-16, 16, 24, 768))},
		{"one byte", still([]byte{0xff})},
		{"zeros", func(s Scale) []byte { return make([]byte, min(s.Bytes, 1<<20)) }},
		{"a page", still([]byte("<!doctype html><title>x</title>"))},
		{"a document", still([]byte("%PDF-1.7\n1 0 obj"))},
		{"a drawing of outside", still([]byte(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>`))},
	}
}
