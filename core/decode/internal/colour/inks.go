package colour

import (
	"encoding/binary"
	"math"
)

// mostGrid is the most steps per ink: profiles have 9 to 21, and work and memory
// grow with the fourth power.
const mostGrid = 25

// Inks converts CMYK by a printing profile: the sRGB colour of mixtures on a
// grid of four dimensions, interpolated between.
type Inks struct {
	grid  int
	input [4][256]float32 // where on the grid's axis an amount of ink lies
	nodes [][3]float32    // sRGB, 0 to 255; black runs fastest
}

// FromInks reads a CMYK profile with a table of type lut8 or lut16 into Lab
// (ICC.1:2022, 10.10 and 10.11). It returns nil for others.
func FromInks(icc []byte) *Inks {
	p, ok := parseProfile(icc)
	if !ok || p.space() != "CMYK" || string(icc[20:24]) != "Lab " {
		return nil
	}
	tag := p.tag("A2B0")
	if len(tag) < 52 || tag[8] != 4 || tag[9] != 3 || tag[10] < 2 || tag[10] > mostGrid {
		return nil
	}
	var t lookup
	switch string(tag[:4]) {
	case "mft1":
		t = lookup{data: tag[48:], inputs: 256, outputs: 256, sample: 1, most: 255, full: 255}
	case "mft2":
		// Lab in 16 bits reaches its ends at 0xff00.
		t = lookup{data: tag[52:], inputs: int(binary.BigEndian.Uint16(tag[48:])), outputs: int(binary.BigEndian.Uint16(tag[50:])),
			sample: 2, most: 65535, full: 65280}
	}
	grid := int(tag[10])
	count := grid * grid * grid * grid
	if t.inputs < 2 || t.outputs < 2 || len(t.data) < t.sample*(4*t.inputs+3*count+3*t.outputs) {
		return nil
	}
	return t.inks(grid, count)
}

// lookup is the tables of a lut8 or lut16: curves of the inks, the grid, and
// curves of L, a and b.
type lookup struct {
	data            []byte
	inputs, outputs int // entries of a curve
	sample          int // bytes
	most, full      float64
}

func (t lookup) at(i int) float64 {
	if t.sample == 1 {
		return float64(t.data[i])
	}
	return float64(binary.BigEndian.Uint16(t.data[2*i:]))
}

// curve reads the table that starts at entry first, at v from 0 to 1.
func (t lookup) curve(first, entries int, v float64) float64 {
	at := v * float64(entries-1)
	i := min(int(at), entries-2)
	part := at - float64(i)
	return t.at(first+i)*(1-part) + t.at(first+i+1)*part
}

func (t lookup) inks(grid, count int) *Inks {
	x := &Inks{grid: grid, nodes: make([][3]float32, count)}
	for ink := range 4 {
		for v := range 256 {
			x.input[ink][v] = float32(t.curve(ink*t.inputs, t.inputs, float64(v)/255) / t.most * float64(grid-1))
		}
	}
	xyz := func(node int) [3]float64 {
		var lab [3]float64
		for c := range 3 {
			v := t.at(4*t.inputs+3*node+c) / t.most
			lab[c] = t.curve(4*t.inputs+3*count+c*t.outputs, t.outputs, v) / t.full
		}
		return fromLab(100*lab[0], 255*lab[1]-128, 255*lab[2]-128)
	}
	// Black ink is not as black as a screen: light is stretched so that all
	// inks together are (black point compensation).
	black := min(0.5, xyz(count - 1)[1])
	for i := range x.nodes {
		light := xyz(i)
		for c, white := range whiteD50 {
			light[c] = (light[c] - black*white) / (1 - black)
		}
		for c, row := range srgbFromPCS {
			x.nodes[i][c] = float32(255 * encodeSRGB(unit(row[0]*light[0]+row[1]*light[1]+row[2]*light[2])))
		}
	}
	return x
}

var whiteD50 = [3]float64{0.9642, 1, 0.8249}

func fromLab(l, a, b float64) [3]float64 {
	y := (l + 16) / 116
	var xyz [3]float64
	for c, f := range [3]float64{y + a/500, y, y - b/200} {
		if f > 6.0/29 {
			xyz[c] = whiteD50[c] * f * f * f
		} else {
			xyz[c] = whiteD50[c] * (f - 4.0/29) * 108 / 841
		}
	}
	return xyz
}

// Row converts C, M, Y, K, 255 being all of an ink, to opaque RGBA.
func (x *Inks) Row(src, dst []uint8) {
	steps := [4]int{x.grid * x.grid * x.grid, x.grid * x.grid, x.grid, 1}
	for ; len(dst) >= 4; src, dst = src[4:], dst[4:] {
		var part [4]float32
		base := 0
		for ink := range 4 {
			at := x.input[ink][src[ink]]
			i := min(int(at), x.grid-2)
			part[ink] = at - float32(i)
			base += i * steps[ink]
		}
		var sum [3]float32
		for corner := range 16 {
			weight, node := float32(1), base
			for ink := range 4 {
				if corner>>ink&1 == 1 {
					weight *= part[ink]
					node += steps[ink]
				} else {
					weight *= 1 - part[ink]
				}
			}
			if weight == 0 {
				continue
			}
			for c, v := range x.nodes[node] {
				sum[c] += weight * v
			}
		}
		for c, v := range sum {
			dst[c] = uint8(math.Round(float64(v)))
		}
		dst[3] = 255
	}
}
