package pipeline

import (
	"context"
	"math"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
)

// room is the memory that all jobs may take together, from the decoding of the
// first to the sending of the last result, so that no number of large photos
// exhausts the machine.
type room struct {
	size    int64
	bytes   *semaphore.Weighted
	held    atomic.Int64
	waiting atomic.Int64
}

func newRoom(size int64) *room {
	return &room{size: size, bytes: semaphore.NewWeighted(size)}
}

// lease is a job's part of the room.
type lease struct {
	room *room
	held int64
}

// reserve waits until there is room for a job, in the order of asking, by what
// the headers of its photo and of the picture behind it (nil for none) say. Codes:
// TooManyPixels for what needs more than there is, Canceled, Timeout.
func (r *room) reserve(ctx context.Context, photo, behind *decode.Upload, options cutout.Options) (*lease, error) {
	var picture decode.Header
	if behind != nil {
		picture = behind.Header
	}
	n := need(photo.Header, picture, options)
	if n > r.size {
		return nil, cutout.Errorf(cutout.TooManyPixels,
			"Working on this photo in this way needs %d MB of memory and %d MB are allowed. Please make it smaller, or choose PNG with 8 bits.", n>>20, r.size>>20)
	}
	r.waiting.Add(1)
	defer r.waiting.Add(-1)
	if err := r.bytes.Acquire(ctx, n); err != nil {
		return nil, err
	}
	r.held.Add(n)
	return &lease{r, n}, nil
}

// shrink keeps so many bytes, or what there is, and gives the rest back.
func (l *lease) shrink(keep int64) {
	rest := max(0, l.held-keep)
	l.held -= rest
	l.room.held.Add(-rest)
	l.room.bytes.Release(rest)
}

// What the stages take beside pictures, in bytes.
const (
	// workspace is what a job takes whatever its photo's size: the compressors'
	// tables, rows being worked on, the model's inputs and answers.
	workspace = 24 << 20
	// Edges are refined on a grid of about gridSide a side, and colours estimated
	// on one of about gridArea, with so many bytes for each of their pixels; see
	// refine.reduce and compose.pyramid.
	gridSide, gridArea, gridBytes = 1024, 1024 * 768, 64
	// Of a JPEG that is being written, the buffer and the one that it outgrew
	// are held at once: at the most that noise takes, so many bytes for a pixel.
	jpegBytes = 6
	// webpBytes is what the WebP encoder may take for a pixel, the file included,
	// and webpFixed beside that; see encode.writeWebP. Noise in the alpha takes it.
	webpBytes, webpFixed = 26, 64 << 20
)

// need is the most memory that a job takes at any time, in bytes: the greatest
// among its stages. The upload is not in it. A stage holds, for each pixel,
//
//   - the photo's colours: 4 bytes, and 8 more where sixteen bits are kept;
//   - a mask of the photo's size: 1 byte, and 2 more for sixteen bits; two of
//     them while one is made from the other;
//   - the picture to lie behind, reduced to what covers the photo: 4 bytes;
//   - what the stage itself allocates.
func need(photo, picture decode.Header, o cutout.Options) int64 {
	pixels := int64(photo.Width) * int64(photo.Height)
	deep := int64(0)
	if o.Depth == 16 && photo.Depth > 8 {
		deep = 1
	}
	colours, mask := (4+8*deep)*pixels, (1+2*deep)*pixels
	refineGrid := gridOf(photo, float64(max(photo.Width, photo.Height))/gridSide)
	colourGrid := gridOf(photo, math.Sqrt(float64(pixels)/gridArea))
	decoding := photo.Memory
	behind := int64(0)
	if picture.Width > 0 {
		block := int64(max(1, min(picture.Width/photo.Width, picture.Height/photo.Height)))
		all := 4 * int64(picture.Width) * int64(picture.Height)
		behind = all / (block * block)
		// While it is reduced, both are there.
		decoding = max(decoding, colours+max(picture.Memory, all+behind))
	}
	refining := colours + behind + 2*mask + refineGrid
	// The shadow takes the alpha out into a plane of its own.
	composing := colours + behind + mask + pixels + colourGrid
	return workspace + max(decoding, refining, composing, encoding(pixels, colours, mask, deep, o))
}

// gridOf is what a grid takes of which each pixel stands for a block of about so
// many a side.
func gridOf(photo decode.Header, side float64) int64 {
	block := max(1, int(math.Round(side)))
	return gridBytes * int64((photo.Width+block-1)/block) * int64((photo.Height+block-1)/block)
}

// encoding is what the last stage holds: what is written, and the file, which
// is counted as if nothing in it could be compressed.
func encoding(pixels, colours, mask, deep int64, o cutout.Options) int64 {
	from := colours
	samples := int64(4)
	if o.Output == cutout.Matte {
		from, samples = mask, 1
	}
	switch o.Format {
	case cutout.JPEG:
		return from + jpegBytes*pixels
	case cutout.WebP:
		// What is written is copied in and then freed.
		return max(from+3*pixels, webpBytes*pixels+webpFixed)
	}
	file := samples * (1 + deep) * pixels * 65 / 64
	// Once it is compressed what is written is freed, and the file put together.
	return file + max(from, file)
}
