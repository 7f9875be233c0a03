package colour

import (
	"encoding/binary"
	"math"
)

// srgbFromPCS takes XYZ under D50, where ICC profiles meet, to linear sRGB
// (Lindbloom, Bradford-adapted).
var srgbFromPCS = matrix{
	{3.1338561, -1.6168667, -0.4906146},
	{-0.9787684, 1.9161415, 0.0334540},
	{0.0719453, -0.2289914, 1.4052427},
}

// FromProfile returns what takes a picture with an ICC profile to sRGB. It
// knows profiles of three primaries and tone curves, and grey ones. For sRGB
// itself, for others and for damaged profiles it returns nil: the picture then
// shows as in a program without colour management.
func FromProfile(icc []byte) *Transform {
	p, ok := parseProfile(icc)
	if !ok {
		return nil
	}
	switch p.space() {
	case "RGB ":
		return p.rgb()
	case "GRAY":
		k, ok := p.curve("kTRC")
		if !ok {
			return nil
		}
		return newTransform([3]curve{k, k, k}, matrix{{1}, {0, 1}, {0, 0, 1}})
	}
	return nil
}

// profile is an ICC profile and its tag table (ICC.1:2022, 7.2 and 7.3).
type profile struct {
	data []byte
	tags []byte // of 12 bytes each: signature, offset, size
}

func parseProfile(icc []byte) (profile, bool) {
	if len(icc) < 132 || string(icc[36:40]) != "acsp" {
		return profile{}, false
	}
	count := int64(binary.BigEndian.Uint32(icc[128:]))
	if count > 200 || 132+12*count > int64(len(icc)) {
		return profile{}, false
	}
	return profile{icc, icc[132 : 132+12*count]}, true
}

func (p profile) space() string { return string(p.data[16:20]) }

func (p profile) tag(signature string) []byte {
	for t := p.tags; len(t) >= 12; t = t[12:] {
		if string(t[:4]) != signature {
			continue
		}
		at, size := int64(binary.BigEndian.Uint32(t[4:])), int64(binary.BigEndian.Uint32(t[8:]))
		if at+size > int64(len(p.data)) {
			return nil
		}
		return p.data[at : at+size]
	}
	return nil
}

func (p profile) rgb() *Transform {
	var curves [3]curve
	var toPCS matrix
	for c, name := range []string{"r", "g", "b"} {
		xyz := p.tag(name + "XYZ")
		k, ok := p.curve(name + "TRC")
		if !ok || len(xyz) < 20 || string(xyz[:4]) != "XYZ " {
			return nil
		}
		curves[c] = k
		for i := range 3 {
			toPCS[i][c] = fixed(xyz[8+4*i:])
		}
	}
	return newTransform(curves, srgbFromPCS.times(toPCS))
}

// fixed reads an s15Fixed16Number.
func fixed(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / 65536 }

// curve reads a tag of type curv or para (ICC.1:2022, 10.6 and 10.18).
func (p profile) curve(signature string) (curve, bool) {
	tag := p.tag(signature)
	if len(tag) < 12 {
		return nil, false
	}
	switch string(tag[:4]) {
	case "curv":
		return tableCurve(tag[8:])
	case "para":
		return parametricCurve(int(binary.BigEndian.Uint16(tag[8:])), tag[12:])
	}
	return nil, false
}

func tableCurve(body []byte) (curve, bool) {
	count := int64(binary.BigEndian.Uint32(body))
	body = body[4:]
	switch {
	case count == 0:
		return func(v float64) float64 { return v }, true
	case count > 1<<16, 2*count > int64(len(body)): // no sample has more values
		return nil, false
	case count == 1:
		gamma := float64(binary.BigEndian.Uint16(body)) / 256
		return func(v float64) float64 { return math.Pow(v, gamma) }, true
	}
	table := make([]float64, count)
	for i := range table {
		table[i] = float64(binary.BigEndian.Uint16(body[2*i:])) / 65535
	}
	return func(v float64) float64 {
		at := unit(v) * float64(count-1)
		i := min(int(at), int(count)-2)
		part := at - float64(i)
		return table[i]*(1-part) + table[i+1]*part
	}, true
}

func parametricCurve(kind int, body []byte) (curve, bool) {
	lengths := []int{1, 3, 4, 5, 7}
	if kind >= len(lengths) || len(body) < 4*lengths[kind] {
		return nil, false
	}
	var p [7]float64 // g, a, b, c, d, e, f
	for i := range lengths[kind] {
		p[i] = fixed(body[4*i:])
	}
	g, a, b, c, d, e, f := p[0], p[1], p[2], p[3], p[4], p[5], p[6]
	switch kind {
	case 0:
		a, d = 1, math.Inf(-1)
	case 1:
		c, d = 0, -b/a
	case 2:
		// From d on the curve is (ax+b)^g + c, and c below it.
		d, e, f, c = -b/a, c, c, 0
	}
	return func(v float64) float64 {
		if v >= d {
			return math.Pow(a*v+b, g) + e
		}
		return c*v + f
	}, true
}
