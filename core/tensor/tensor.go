// Package tensor scales a photo to the square that a model sees.
package tensor

import (
	"encoding/binary"
	"runtime"
	"sync"

	"bgremover.pro/core/cutout"
)

// backdrop is the grey, 0 to 255, behind transparent pixels: as far from a
// dark subject as from a light one.
const backdrop = 128

// FromPhoto scales a photo to size x size pixels, stretched, without its
// alpha. The filter is the triangle of Pillow's and PyTorch's antialiased
// bilinear resize: what is scaled down is averaged over all that a pixel
// covers, in gamma space as the networks were trained. The result does not
// depend on the number of cores.
func FromPhoto(photo *cutout.Photo, size int) *cutout.Input {
	input := &cutout.Input{Width: size, Height: size, Pix: make([]uint8, 3*size*size)}
	across, down := newFilter(photo.Width, size), newFilter(photo.Height, size)

	workers := min(runtime.GOMAXPROCS(0), size)
	var wait sync.WaitGroup
	for i := range workers {
		wait.Go(func() {
			s := scaler{photo: photo, across: across, down: down}
			s.rows(input, i*size/workers, (i+1)*size/workers)
		})
	}
	wait.Wait()
	return input
}

// scaler makes some of the rows. Three channels share a word, 21 bits each, so
// that one multiplication serves all: a channel needs eight bits and the
// weights of a pixel add up to 12.
type scaler struct {
	photo        *cutout.Photo
	across, down filter

	source []uint64 // a row of the photo
	ring   []uint64 // rows scaled across, by row number modulo their count
	sum    []uint64
}

const (
	laneBits = 21
	lanes    = 1 | 1<<laneBits | 1<<(2*laneBits)
	half     = lanes << (weightBits - 1)
	low8     = lanes * 255
)

func (s *scaler) rows(input *cutout.Input, first, end int) {
	size := input.Width
	s.source = make([]uint64, s.photo.Width)
	s.ring = make([]uint64, s.down.most*size)
	s.sum = make([]uint64, size)
	next := 0 // the first photo row not in the ring yet
	for y := first; y < end; y++ {
		taps := s.down.taps[y]
		next = max(next, taps.first)
		for ; next < taps.first+len(taps.weights); next++ {
			s.scaleRow(next, s.ringRow(next, size))
		}
		s.mixRows(taps, size)
		out := input.Pix[3*size*y:][:3*size]
		for i, v := range s.sum {
			out[3*i], out[3*i+1], out[3*i+2] = uint8(v), uint8(v>>laneBits), uint8(v>>(2*laneBits))
		}
	}
}

func (s *scaler) ringRow(y, size int) []uint64 {
	return s.ring[y%s.down.most*size:][:size]
}

// scaleRow scales a row of the photo across, rounded to eight bits.
func (s *scaler) scaleRow(y int, dst []uint64) {
	spread(s.photo.Pix[4*s.photo.Width*y:][:4*s.photo.Width], s.source, s.photo.Opaque)
	for x := range dst {
		taps := &s.across.taps[x]
		src := s.source[taps.first:][:len(taps.weights)]
		sum := uint64(half)
		for i, w := range taps.weights {
			sum += src[i] * w
		}
		dst[x] = sum >> weightBits & low8
	}
}

// mixRows weighs rows of the ring into sum.
func (s *scaler) mixRows(t tap, size int) {
	for i := range s.sum {
		s.sum[i] = half
	}
	for i, w := range t.weights {
		row := s.ringRow(t.first+i, size)
		for x, v := range row[:len(s.sum)] {
			s.sum[x] += v * w
		}
	}
	for i, v := range s.sum {
		s.sum[i] = v >> weightBits & low8
	}
}

// spread puts pixels into words, over the backdrop where they are transparent.
func spread(pix []uint8, dst []uint64, opaque bool) {
	pix = pix[:4*len(dst)]
	for i := range dst {
		p := binary.LittleEndian.Uint32(pix[4*i:])
		if !opaque && p>>24 != 255 {
			dst[i] = overBackdrop(p)
			continue
		}
		dst[i] = uint64(p&255) | uint64(p>>8&255)<<laneBits | uint64(p>>16&255)<<(2*laneBits)
	}
}

func overBackdrop(p uint32) uint64 {
	alpha := uint64(p >> 24)
	over := func(v uint32) uint64 { return (uint64(v&255)*alpha + backdrop*(255-alpha) + 127) / 255 }
	return over(p) | over(p>>8)<<laneBits | over(p>>16)<<(2*laneBits)
}
