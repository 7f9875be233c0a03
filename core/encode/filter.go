package encode

import "encoding/binary"

// Filter types of PNG (ISO/IEC 15948, 9.2). Paeth is left out: its branches cost more time
// than it saves at deflate's fast levels.
const (
	filterSub = 1
	filterUp  = 2
	filterAvg = 3
)

// filter chooses a filter for each row and applies it, eight bytes at a time.
type filter struct {
	pixel int // bytes a pixel
	// left is the row moved right by a pixel, so that words line up.
	left []byte
}

func newFilter(pixel, row int) filter {
	return filter{pixel: pixel, left: make([]byte, row)}
}

// apply writes the filter's type and the filtered row to dst.
func (f *filter) apply(row, above, dst []byte) {
	if len(row) > f.pixel {
		copy(f.left[f.pixel:], row)
	}
	kind := f.choose(row, above)
	dst[0] = kind
	dst = dst[1:]
	switch kind {
	case filterSub:
		subtract(row, f.left, dst)
	case filterUp:
		subtract(row, above, dst)
	case filterAvg:
		subtractAverage(row, f.left, above, dst)
	}
}

const (
	high = 0x8080808080808080
	low7 = 0x7f7f7f7f7f7f7f7f
	// sampleStep is how far apart the words are that a choice is made by.
	sampleStep = 8 * 7
)

// choose takes the filter that leaves the smallest values, as PNG's
// specification advises, from a sample of the row.
func (f *filter) choose(row, above []byte) byte {
	var sub, up, avg uint64
	for i := 0; i+8 <= len(row); i += sampleStep {
		x, l, a := word(row, i), word(f.left, i), word(above, i)
		sub += magnitude(minus(x, l))
		up += magnitude(minus(x, a))
		avg += magnitude(minus(x, average(l, a)))
	}
	switch {
	case up <= sub && up <= avg:
		return filterUp
	case avg <= sub:
		return filterAvg
	}
	return filterSub
}

func subtract(x, y, dst []byte) {
	y, dst = y[:len(x)], dst[:len(x)]
	i := 0
	for ; i+8 <= len(x); i += 8 {
		binary.LittleEndian.PutUint64(dst[i:], minus(word(x, i), word(y, i)))
	}
	for ; i < len(x); i++ {
		dst[i] = x[i] - y[i]
	}
}

func subtractAverage(x, y, z, dst []byte) {
	y, z, dst = y[:len(x)], z[:len(x)], dst[:len(x)]
	i := 0
	for ; i+8 <= len(x); i += 8 {
		binary.LittleEndian.PutUint64(dst[i:], minus(word(x, i), average(word(y, i), word(z, i))))
	}
	for ; i < len(x); i++ {
		dst[i] = x[i] - uint8((uint(y[i])+uint(z[i]))/2)
	}
}

func word(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// minus subtracts eight bytes from eight, each modulo 256.
func minus(x, y uint64) uint64 { return ((x | high) - (y &^ high)) ^ ((x ^ ^y) & high) }

// average takes the mean of eight pairs of bytes, rounded down.
func average(x, y uint64) uint64 { return x&y + (x^y)>>1&low7 }

// magnitude adds up eight bytes taken as signed, without their signs.
func magnitude(v uint64) uint64 {
	negative := v & high >> 7 * 0xff // all bits of the negative bytes
	v ^= negative
	v = v&0x00ff00ff00ff00ff + v>>8&0x00ff00ff00ff00ff
	return v * 0x0001000100010001 >> 48
}
