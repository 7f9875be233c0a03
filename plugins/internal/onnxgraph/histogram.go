package onnxgraph

import "math"

// histogramBins is how many bins a histogram has for each sign.
const histogramBins = 4096

// Histogram counts the values of one tensor. Its bins grow with the values, so
// that one pass over them is enough.
type Histogram struct {
	width  float64 // of a bin; 0 before the first value that is not 0
	counts [2 * histogramBins]uint64
	total  uint64
}

// Add counts values, except those that are infinite or not a number.
func (h *Histogram) Add(values []float32) {
	var largest float64
	for _, v := range values {
		if a := math.Abs(float64(v)); a > largest && !math.IsInf(a, 0) {
			largest = a
		}
	}
	if h.width == 0 && largest > 0 {
		h.width = largest / (histogramBins - 1)
	}
	for largest >= h.width*histogramBins && largest > 0 {
		h.widen()
	}
	per := 0.0
	if h.width > 0 {
		per = 1 / h.width
	}
	for _, v := range values {
		if x := float64(v) * per; math.Abs(x) < histogramBins { // false for what is not a number
			h.counts[int(math.Floor(x))+histogramBins]++
			h.total++
		}
	}
}

// widen doubles the width of the bins.
func (h *Histogram) widen() {
	var wider [2 * histogramBins]uint64
	for i, n := range h.counts {
		wider[(i-histogramBins)>>1+histogramBins] += n
	}
	h.counts = wider
	h.width *= 2
}

// Range returns the span that holds all values but the given share at either
// end; it includes 0.
func (h *Histogram) Range(outside float64) Range {
	skip := uint64(outside * float64(h.total))
	low, high := 0, 2*histogramBins-1
	for n := h.counts[low]; n <= skip && low < histogramBins; n += h.counts[low] {
		low++
	}
	for n := h.counts[high]; n <= skip && high >= histogramBins; n += h.counts[high] {
		high--
	}
	return Range{
		Min: float32(float64(min(low-histogramBins, 0)) * h.width),
		Max: float32(float64(max(high+1-histogramBins, 0)) * h.width),
	}
}
