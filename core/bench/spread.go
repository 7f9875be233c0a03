package bench

import (
	"math"
	"slices"
	"strconv"
)

// Figure is a number that may be unknown: NaN, which JSON writes as null.
type Figure float64

// MarshalJSON writes an unknown figure as null.
func (f Figure) MarshalJSON() ([]byte, error) {
	if !f.Known() {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(f), 'g', 6, 64), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Figure) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*f = unknown
		return nil
	}
	n, err := strconv.ParseFloat(string(text), 64)
	*f = Figure(n)
	return err
}

// Known says whether there is a number.
func (f Figure) Known() bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

var unknown = Figure(math.NaN())

// Spread describes how values are distributed. Without values all but N are unknown.
type Spread struct {
	N    int    `json:"n"`
	Mean Figure `json:"mean"`
	Min  Figure `json:"min"`
	P50  Figure `json:"p50"`
	P90  Figure `json:"p90"`
	P99  Figure `json:"p99"`
	Max  Figure `json:"max"`
}

// NewSpread sorts a copy of the values; unknown ones are left out.
func NewSpread(values []float64) Spread {
	var known []float64
	sum := 0.0
	for _, v := range values {
		if Figure(v).Known() {
			known = append(known, v)
			sum += v
		}
	}
	if len(known) == 0 {
		return Spread{Mean: unknown, Min: unknown, P50: unknown, P90: unknown, P99: unknown, Max: unknown}
	}
	slices.Sort(known)
	at := func(share float64) Figure { return Figure(percentile(known, share)) }
	return Spread{N: len(known), Mean: Figure(sum / float64(len(known))), Min: at(0), P50: at(.5), P90: at(.9), P99: at(.99), Max: at(1)}
}

// percentile is the value below which a share (0 to 1) of sorted values lies,
// interpolated between neighbours (definition 7 of Hyndman and Fan 1996).
func percentile(sorted []float64, share float64) float64 {
	place := share * float64(len(sorted)-1)
	low := int(place)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (place-float64(low))*(sorted[high]-sorted[low])
}

// mean is that of the known figures.
func mean(values []Figure) Figure {
	all := make([]float64, len(values))
	for i, v := range values {
		all[i] = float64(v)
	}
	return NewSpread(all).Mean
}

// ratio is a/b, unknown where either is or b is 0.
func ratio(a, b Figure) Figure {
	if !a.Known() || !b.Known() || b == 0 {
		return unknown
	}
	return a / b
}
