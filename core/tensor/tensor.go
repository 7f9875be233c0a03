// Package tensor scales a photo to the square that a model sees.
package tensor

import (
	"context"
	"encoding/binary"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/resample"
)

// backdrop is the grey, 0 to 255, behind transparent pixels: as far from a
// dark subject as from a light one.
const backdrop = 128

// FromPhoto scales a photo to size x size pixels, stretched, without its alpha,
// and mirrored left to right if asked for. It uses the Lanczos filter, with which
// ISNet's masks are closer to the ground truth than with softer ones. Where a side
// shrinks to half or less, averaging the area that a pixel covers (the triangle filter
// of Pillow's and PyTorch's antialiased bilinear resize) is as good, and takes a third
// of the time. All in gamma space, as the networks were trained.
// The result does not depend on the number of cores. The error is the context's.
func FromPhoto(ctx context.Context, photo *cutout.Photo, size int, mirrored bool) (*cutout.Input, error) {
	input := &cutout.Input{Width: size, Height: size, Pix: make([]uint8, 3*size*size)}
	across, down := axis(photo.Width, size), axis(photo.Height, size)
	if mirrored {
		for l, r := 0, size-1; l < r; l, r = l+1, r-1 {
			across[l], across[r] = across[r], across[l]
		}
	}
	most := resample.Most(down)
	err := cutout.Strips(ctx, size, stripRows, func(first, end int) {
		s := scaler{
			photo: photo, across: across, down: down,
			source: make([]uint64, photo.Width), sum: make([]uint64, size),
			ring: make([]uint64, most*size), most: most,
		}
		s.rows(input, first, end)
	})
	return input, err
}

// stripRows is how many rows of the input one processor makes at a time. Strips
// that meet scale the photo's rows around their border twice.
const stripRows = 64

func axis(from, to int) []resample.Taps {
	if from < 2*to {
		return resample.Axis(from, to, resample.Lanczos, weightBits)
	}
	return resample.Axis(from, to, resample.Triangle, weightBits)
}

// scaler makes some of the rows. Three channels share a word, 21 bits each, so
// that one multiplication serves all: a channel needs eight bits and the weights
// of a pixel add up to 12. Lanczos' sums lie between -77 and 332 levels, so each
// lane carries 128 levels more while weights are added up; intermediate wrap-around
// is then harmless.
type scaler struct {
	photo        *cutout.Photo
	across, down []resample.Taps

	source []uint64 // a row of the photo
	ring   []uint64 // rows scaled across, by row number modulo their count
	most   int      // rows in the ring
	sum    []uint64
}

const (
	weightBits = 12
	laneBits   = 21
	lanes      = 1 | 1<<laneBits | 1<<(2*laneBits)
	lift       = 128
	begin      = lanes * (lift<<weightBits + 1<<(weightBits-1))
)

func (s *scaler) rows(input *cutout.Input, first, end int) {
	size := input.Width
	next := 0 // the first photo row not in the ring yet
	for y := first; y < end; y++ {
		taps := s.down[y]
		next = max(next, taps.First)
		for ; next < taps.First+len(taps.Weights); next++ {
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
	return s.ring[y%s.most*size:][:size]
}

// scaleRow scales a row of the photo across, rounded to eight bits.
func (s *scaler) scaleRow(y int, dst []uint64) {
	spread(s.photo.Pix[4*s.photo.Width*y:][:4*s.photo.Width], s.source, s.photo.Opaque)
	for x := range dst {
		taps := &s.across[x]
		src := s.source[taps.First:][:len(taps.Weights)]
		sum := uint64(begin)
		for i, w := range taps.Weights {
			sum += src[i] * uint64(w)
		}
		dst[x] = rounded(sum)
	}
}

// mixRows weighs rows of the ring into sum.
func (s *scaler) mixRows(t resample.Taps, size int) {
	for i := range s.sum {
		s.sum[i] = begin
	}
	for i, w := range t.Weights {
		row := s.ringRow(t.First+i, size)
		weight := uint64(w)
		for x, v := range row[:len(s.sum)] {
			s.sum[x] += v * weight
		}
	}
	for i, v := range s.sum {
		s.sum[i] = rounded(v)
	}
}

// rounded turns each lane's sum into a level, 0 to 255.
func rounded(sum uint64) uint64 {
	const mask = 1<<(laneBits-weightBits) - 1
	v := sum >> weightBits & (lanes * mask) // lifted levels, 0 to 511
	// A lane is in order where lift <= level < lift+256, nearly always.
	if (v-lanes*lift)&(lanes*0x100) == 0 && (v+lanes*(512-lift))&(lanes*0x200) == lanes*0x200 {
		return v - lanes*lift
	}
	clamped := uint64(0)
	for shift := 0; shift <= 2*laneBits; shift += laneBits {
		level := int(v>>shift&mask) - lift
		clamped |= uint64(max(0, min(255, level))) << shift
	}
	return clamped
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
