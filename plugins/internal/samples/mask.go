package samples

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"bgremover.pro/core/cutout"
)

// Mask turns a network's output into samples of a mask of that many pixels;
// there are as many values, or a multiple for PostArgmax. Values are clamped
// to 0..1. Code: Internal where a value is not a number.
func (p Planes) Mask(post cutout.Post, pixels, threads int) ([]uint8, error) {
	values := p.Single
	if p.Half != nil {
		values = make([]float32, len(p.Half))
		parallel(len(values), threads, func(from, to int) {
			for i := from; i < to; i++ {
				values[i] = halfValue(p.Half[i])
			}
		})
	}
	out := make([]uint8, pixels)
	var broken atomic.Bool
	parallel(pixels, threads, func(from, to int) {
		var ok bool
		switch post {
		case cutout.PostSigmoid:
			ok = sigmoid(out[from:to], values[from:to])
		case cutout.PostArgmax:
			ok = argmax(out, values, from, to)
		default:
			ok = clamp(out[from:to], values[from:to])
		}
		if !ok {
			broken.Store(true)
		}
	})
	if broken.Load() {
		return nil, cutout.Wrap(cutout.Internal, errors.New("the network's output holds values that are not numbers"), "The model failed on this picture.")
	}
	return out, nil
}

func clamp(out []uint8, values []float32) bool {
	for i, v := range values {
		switch {
		case v != v:
			return false
		case v >= 1:
			out[i] = 255
		case v > 0:
			out[i] = uint8(v*255 + 0.5)
		}
	}
	return true
}

func sigmoid(out []uint8, values []float32) bool {
	for i, v := range values {
		if v != v {
			return false
		}
		out[i] = uint8(255/(1+math.Exp(-float64(v))) + 0.5)
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
	var group sync.WaitGroup
	for i := range threads {
		from, to := n*i/threads, n*(i+1)/threads
		if from < to {
			group.Go(func() { f(from, to) })
		}
	}
	group.Wait()
}
