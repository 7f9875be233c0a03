package samples

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync/atomic"

	"bgremover.pro/core/cutout"
)

// Mask turns a network's output into samples of a mask of that many pixels;
// there are as many values, or a multiple for PostArgmax. Values are clamped
// to 0..1. Code: Internal if a value is not a number.
func (p Planes) Mask(post cutout.Post, pixels, threads int) ([]uint8, error) {
	values := p.float32s(threads)
	out := make([]uint8, pixels)
	part := func(from, to int) bool { return argmax(out, values, from, to) }
	if post != cutout.PostArgmax {
		answer := answerOf(post, values)
		part = func(from, to int) bool { return answer.write(out[from:to], values[from:to]) }
	}
	var broken atomic.Bool
	parallel(pixels, threads, func(from, to int) {
		if !part(from, to) {
			broken.Store(true)
		}
	})
	if broken.Load() {
		return nil, cutout.Wrap(cutout.Internal, errors.New("the network's output holds values that are not numbers"), "The model failed on this picture.")
	}
	return out, nil
}

func (p Planes) float32s(threads int) []float32 {
	if p.Half == nil {
		return p.Single
	}
	values := make([]float32, len(p.Half))
	parallel(len(values), threads, func(from, to int) {
		for i := from; i < to; i++ {
			values[i] = halfValue(p.Half[i])
		}
	})
	return values
}

// answer says what a value means: low is background, high is subject.
type answer struct {
	logits    bool
	low, high float64
}

func answerOf(post cutout.Post, values []float32) answer {
	a := answer{logits: post == cutout.PostSigmoid || post == cutout.PostSigmoidMinMax, high: 1}
	if post == cutout.PostMinMax || post == cutout.PostSigmoidMinMax {
		// Not a number if any value is not.
		low, high := a.share(slices.Min(values)), a.share(slices.Max(values))
		if low != high { // else there is nothing to stretch
			a.low, a.high = low, high
		}
	}
	return a
}

func (a answer) share(v float32) float64 {
	if a.logits {
		return 1 / (1 + math.Exp(-float64(v)))
	}
	return float64(v)
}

func (a answer) write(out []uint8, values []float32) bool {
	scale := 255 / (a.high - a.low)
	for i, v := range values {
		switch x := (a.share(v) - a.low) * scale; {
		case x != x:
			return false
		case x >= 255:
			out[i] = 255
		case x > 0:
			out[i] = uint8(x + 0.5)
		}
	}
	return true
}

// argmax marks the pixels from..to whose highest score is not class 0's;
// values holds one plane of scores a class.
func argmax(out []uint8, values []float32, from, to int) bool {
	n := len(out)
	for i := from; i < to; i++ {
		background := values[i]
		if background != background {
			return false
		}
		for j := i + n; j < len(values); j += n {
			if values[j] != values[j] {
				return false
			}
			if values[j] > background {
				out[i] = 255
			}
		}
	}
	return true
}

// parallel calls f on as many parts of 0..n as there are threads.
func parallel(n, threads int, f func(from, to int)) {
	_ = cutout.Strips(context.Background(), n, max(1, (n+threads-1)/threads), f) // nothing ends it early
}
