// Package colour converts what files hold to sRGB: luma and chroma to RGB, and
// RGB of other primaries and tone curves, by ICC profile or by code point.
package colour

import (
	"encoding/binary"
	"math"
)

// Coding is how a picture's luma and chroma stand for RGB. Codes are those of
// ITU-T H.273, as in HEIF's nclx boxes.
type Coding struct {
	Primaries, Transfer, MatrixCode int
	FullRange                       bool
}

// Codings of formats that have one only.
var (
	JPEG = Coding{Primaries: 1, Transfer: 13, MatrixCode: 6, FullRange: true}
	VP8  = Coding{Primaries: 1, Transfer: 13, MatrixCode: 6}
)

// Matrix holds the products of each sample's value, in 16.16 fixed point.
type Matrix struct {
	luma, crR, crG, cbG, cbB [256]int32
	identity                 bool
}

// Matrix returns the conversion for eight-bit samples.
func (c Coding) Matrix() *Matrix {
	kr, kb := 0.299, 0.114
	switch c.MatrixCode {
	case 1:
		kr, kb = 0.2126, 0.0722
	case 9:
		kr, kb = 0.2627, 0.0593
	}
	kg := 1 - kr - kb
	lumaScale, chromaScale, black := 1.0, 1.0, 0.0
	if !c.FullRange {
		lumaScale, chromaScale, black = 255.0/219, 255.0/224, 16
	}
	m := &Matrix{identity: c.MatrixCode == 0}
	fixed := func(v float64) int32 { return int32(math.Round(v * 65536)) }
	for i := range 256 {
		m.luma[i] = fixed((float64(i)-black)*lumaScale) + 1<<15
		v := (float64(i) - 128) * chromaScale
		m.crR[i] = fixed(2 * (1 - kr) * v)
		m.cbB[i] = fixed(2 * (1 - kb) * v)
		m.crG[i] = fixed(-2 * (1 - kr) * kr / kg * v)
		m.cbG[i] = fixed(-2 * (1 - kb) * kb / kg * v)
	}
	return m
}

// Row converts one row to opaque RGBA.
func (m *Matrix) Row(y, cb, cr, dst []uint8) {
	if m.identity { // the planes are green, blue and red
		for i := range y {
			dst[4*i], dst[4*i+1], dst[4*i+2], dst[4*i+3] = cr[i], y[i], cb[i], 255
		}
		return
	}
	cb, cr, dst = cb[:len(y)], cr[:len(y)], dst[:4*len(y)]
	for i, luma := range y {
		l, b, r := m.luma[luma], cb[i], cr[i]
		red := clamp(l + m.crR[r])
		green := clamp(l + m.crG[r] + m.cbG[b])
		blue := clamp(l + m.cbB[b])
		binary.LittleEndian.PutUint32(dst[4*i:], red|green<<8|blue<<16|0xff000000)
	}
}

// clamp takes a 16.16 number to 0..255.
func clamp(v int32) uint32 {
	if uint32(v)&0xff000000 == 0 {
		return uint32(v) >> 16
	}
	return uint32(^(v >> 31)) & 255
}
