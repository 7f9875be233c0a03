package colour

import (
	"math"
	"sync"
)

// curve takes a sample, 0 to 1, to linear light, 0 to 1.
type curve func(float64) float64

// matrix takes linear light of one set of primaries to another.
type matrix [3][3]float64

// Transform converts RGB to sRGB and leaves alpha alone. A nil Transform
// changes nothing.
type Transform struct {
	curves [3]curve
	// linear holds each channel's curve for eight-bit samples, 16.0 fixed.
	linear [3][256]int64
	// mix is the matrix in 2.16 fixed point.
	mix [3][3]int64

	deepOnce sync.Once
	deep     [3][]int32
}

// newTransform returns nil where the conversion would change no sample by more
// than one level: most profiles are sRGB's own, under many names.
func newTransform(curves [3]curve, mix matrix) *Transform {
	t := &Transform{curves: curves}
	for c := range 3 {
		for i := range 256 {
			t.linear[c][i] = int64(math.Round(65535 * unit(curves[c](float64(i)/255))))
		}
		for k := range 3 {
			// Real matrices stay below 4; the bound keeps the sums in range.
			t.mix[c][k] = int64(math.Round(65536 * min(8, max(-8, mix[c][k]))))
		}
	}
	if t.changesNothing() {
		return nil
	}
	return t
}

func (t *Transform) changesNothing() bool {
	const step = 15
	for r := 0; r < 256; r += step {
		for g := 0; g < 256; g += step {
			for b := 0; b < 256; b += step {
				pixel := [4]uint8{uint8(r), uint8(g), uint8(b), 255}
				t.Apply(pixel[:])
				for c, was := range [3]int{r, g, b} {
					if d := int(pixel[c]) - was; d > 1 || d < -1 {
						return false
					}
				}
			}
		}
	}
	return true
}

// Apply converts rows of R, G, B, A in place.
func (t *Transform) Apply(rows []uint8) {
	if t == nil {
		return
	}
	out := encode8()
	for ; len(rows) >= 4; rows = rows[4:] {
		p := rows[:4:4]
		r, g, b := t.linear[0][p[0]], t.linear[1][p[1]], t.linear[2][p[2]]
		for c := range 3 {
			m := &t.mix[c]
			p[c] = out[index(r*m[0]+g*m[1]+b*m[2])>>(16-table8)]
		}
	}
}

// ApplyDeep is Apply for samples of 16 bits.
func (t *Transform) ApplyDeep(rows []uint16) {
	if t == nil {
		return
	}
	t.deepOnce.Do(t.deepCurves)
	out := encode16()
	for ; len(rows) >= 4; rows = rows[4:] {
		p := rows[:4:4]
		r, g, b := int64(t.deep[0][p[0]]), int64(t.deep[1][p[1]]), int64(t.deep[2][p[2]])
		for c := range 3 {
			m := &t.mix[c]
			// The curves have 20 bits here: 16 choose the entry and four lie
			// between it and the next, for the steep start of sRGB's curve.
			v := min(max(0, r*m[0]+g*m[1]+b*m[2])>>16, 0xfffff)
			i, part := v>>4, uint32(v&15)
			p[c] = uint16((uint32(out[i])*(16-part) + uint32(out[i+1])*part + 8) >> 4)
		}
	}
}

func (t *Transform) deepCurves() {
	for c := range 3 {
		t.deep[c] = make([]int32, 65536)
		for i := range t.deep[c] {
			t.deep[c][i] = int32(math.Round(0xfffff * unit(t.curves[c](float64(i)/65535))))
		}
	}
}

// index takes a 16.16 product to 16 bits.
func index(v int64) int64 { return min(max(0, v+1<<15)>>16, 0xffff) }

func unit(v float64) float64 {
	if !(v > 0) { // NaN too
		return 0
	}
	return min(v, 1)
}

// table8 is the number of bits that index sRGB's curve for eight-bit output:
// enough for a fifth of a level where it is steepest.
const table8 = 14

var encode8 = sync.OnceValue(func() *[1 << table8]uint8 {
	var t [1 << table8]uint8
	for i := range t {
		t[i] = uint8(math.Round(255 * encodeSRGB((float64(i)+0.5)/(1<<table8))))
	}
	return &t
})

var encode16 = sync.OnceValue(func() *[1<<16 + 1]uint16 {
	var t [1<<16 + 1]uint16
	for i := range t {
		t[i] = uint16(math.Round(65535 * unit(encodeSRGB(float64(i)*16/0xfffff))))
	}
	return &t
})

// encodeSRGB and decodeSRGB are the tone curve of IEC 61966-2-1.
func encodeSRGB(v float64) float64 {
	if v <= 0.0031308 {
		return 12.92 * v
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

func decodeSRGB(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func (m matrix) times(n matrix) matrix {
	var p matrix
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				p[i][j] += m[i][k] * n[k][j]
			}
		}
	}
	return p
}

func (m matrix) inverse() matrix {
	cofactor := func(i, j int) float64 {
		a, b, c, d := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
		return m[a][c]*m[b][d] - m[a][d]*m[b][c]
	}
	det := m[0][0]*cofactor(0, 0) + m[0][1]*cofactor(0, 1) + m[0][2]*cofactor(0, 2)
	var inv matrix
	for i := range 3 {
		for j := range 3 {
			inv[j][i] = cofactor(i, j) / det
		}
	}
	return inv
}
