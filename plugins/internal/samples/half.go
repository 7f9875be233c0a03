package samples

import "math"

// halfOf rounds to the nearest IEEE 754 binary16, ties to even, as its bits.
func halfOf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	switch a := math.Abs(float64(f)); {
	case a != a:
		return sign | 0x7e00
	case a >= 65520: // rounds beyond the largest finite value
		return sign | 0x7c00
	case a < 0x1p-14: // subnormal: a multiple of 2^-24
		return sign | uint16(math.RoundToEven(a*0x1p24))
	}
	// Ten of 23 fraction bits stay; a carry moves on into the exponent.
	bits += 0xfff + bits>>13&1
	return sign | uint16(bits>>13&0x3ffff-(127-15)<<10)
}

// halfValue returns the value of a binary16 given as its bits.
func halfValue(h uint16) float32 {
	sign, exponent, fraction := uint32(h&0x8000)<<16, h>>10&0x1f, uint32(h&0x3ff)
	switch exponent {
	case 0:
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (uint32(exponent)+127-15)<<23 | fraction<<13)
}
