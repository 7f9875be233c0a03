package colour

import "math"

// toSRGB converts from D65 primaries, by their xy chromaticities.
func toSRGB(primaries [3][2]float64) matrix {
	srgb := [3][2]float64{{0.64, 0.33}, {0.30, 0.60}, {0.15, 0.06}}
	return toXYZ(srgb).inverse().times(toXYZ(primaries))
}

// toXYZ scales three primaries so that together they make the white D65.
func toXYZ(primaries [3][2]float64) matrix {
	var m matrix
	for c, p := range primaries {
		x, y := p[0], p[1]
		m[0][c], m[1][c], m[2][c] = x/y, 1, (1-x-y)/y
	}
	white := matrix{{0.3127 / 0.3290}, {1}, {(1 - 0.3127 - 0.3290) / 0.3290}}
	scale := m.inverse().times(white)
	for i := range 3 {
		for c := range 3 {
			m[i][c] *= scale[c][0]
		}
	}
	return m
}

// FromCoding returns what takes RGB of the code points' primaries and tone
// curve to sRGB, nil for sRGB's own and for code points it does not know.
func FromCoding(c Coding) *Transform {
	mix := matrix{{1}, {0, 1}, {0, 0, 1}}
	switch c.Primaries {
	case 9:
		mix = toSRGB([3][2]float64{{0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}})
	case 12:
		mix = toSRGB([3][2]float64{{0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}})
	}
	// Cameras mark sRGB pictures as BT.709 or leave the curve unsaid; both are
	// shown with sRGB's curve by browsers.
	k := curve(decodeSRGB)
	switch c.Transfer {
	case 4:
		k = func(v float64) float64 { return math.Pow(v, 2.2) }
	case 5:
		k = func(v float64) float64 { return math.Pow(v, 2.8) }
	case 8:
		k = func(v float64) float64 { return v }
	case 16:
		k = decodePQ
	case 18:
		k = decodeHLG
	}
	return newTransform([3]curve{k, k, k}, mix)
}

// decodePQ is SMPTE ST 2084, brought to a screen where 203 cd/m2 (ITU-R
// BT.2408's reference white) is close to white and brighter light rolls off.
func decodePQ(v float64) float64 {
	const m1, m2, c1, c2, c3 = 2610.0 / 16384, 2523.0 / 32, 3424.0 / 4096, 2413.0 / 128, 2392.0 / 128
	p := math.Pow(v, 1/m2)
	light := math.Pow(max(0, p-c1)/(c2-c3*p), 1/m1) // of 10000 cd/m2
	return rollOff(light * 10000 / 203)
}

// decodeHLG is ITU-R BT.2100's hybrid log-gamma, whose reference white is at
// three quarters of the signal.
func decodeHLG(v float64) float64 {
	const a, b, c = 0.17883277, 0.28466892, 0.55991073
	scene := v * v / 3
	if v > 0.5 {
		scene = (math.Exp((v-c)/a) + b) / 12
	}
	return rollOff(math.Pow(scene, 1.2) / math.Pow(0.265, 1.2))
}

// rollOff leaves light below half of white alone and bends what is above, so
// that highlights keep their shape instead of being cut off.
func rollOff(light float64) float64 {
	const knee = 0.5
	if light <= knee {
		return light
	}
	over := (light - knee) / (1 - knee)
	return knee + (1-knee)*over/(1+over)*(1+over/25)
}
