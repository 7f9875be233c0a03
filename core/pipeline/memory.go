package pipeline

import (
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
)

// budget bounds the memory that all jobs hold together, from decoding a photo until
// its result is sent, so that no number of large photos exhausts the machine.
type budget struct {
	size    int64
	bytes   *semaphore.Weighted
	held    atomic.Int64
	waiting atomic.Int64
}

func newBudget(size int64) *budget {
	return &budget{size: size, bytes: semaphore.NewWeighted(size)}
}

// share is what one job holds of the budget.
type share struct {
	budget *budget
	held   int64
}

// reserve waits, first come first served, until the budget has enough left for a job,
// as estimated from the headers of its files.
// Codes: TooManyPixels for a job that needs more than the whole budget, Canceled,
// Timeout.
func (b *budget) reserve(ctx context.Context, f files, options cutout.Options, limits decode.Limits) (*share, error) {
	n := need(f, options, limits)
	if n > b.size {
		return nil, cutout.Errorf(cutout.TooManyPixels,
			"Processing this photo with these options needs %d MB of memory; the limit is %d MB. Please make it smaller, or choose PNG with 8 bits.", n>>20, b.size>>20)
	}
	b.waiting.Add(1)
	defer b.waiting.Add(-1)
	if err := b.bytes.Acquire(ctx, n); err != nil {
		return nil, err
	}
	b.held.Add(n)
	return &share{b, n}, nil
}

// shrink keeps at most keep bytes and gives the rest back.
func (s *share) shrink(keep int64) {
	rest := max(0, s.held-keep)
	s.held -= rest
	s.budget.held.Add(-rest)
	s.budget.bytes.Release(rest)
}

// collect collects garbage if what the job may still allocate does not fit into Go's memory
// limit as well. The collector on its own starts only when an allocation has passed the
// limit, and a large photo's are hundreds of megabytes.
func (s *share) collect() {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	if int64(heap[0].Value.Uint64())+s.held > debug.SetMemoryLimit(-1) {
		runtime.GC()
	}
}

// Memory that the stages need besides pictures, in bytes.
const (
	// workspace is what a job needs whatever its photo's size: the compressors'
	// tables, rows in progress, the model's inputs and masks.
	workspace = 24 << 20
	// Edges are refined on a grid of about gridSide a side, and colours estimated
	// on one of about gridArea, with so many bytes for each of their pixels; see
	// refine.reduce and compose.pyramid.
	gridSide, gridArea, gridBytes = 1024, 1024 * 768, 64
	// While a JPEG is written, its buffer and the smaller one that it replaces are
	// held at once: at most jpegBytes per pixel, for noise.
	jpegBytes = 6
	// zipBytes is what the alpha of a ZIP and the archive itself take besides.
	zipBytes = 3
	// webpBytes is the most that the WebP encoder needs per pixel, including the
	// file, and webpFixed what it needs besides; see encode.writeWebP. Noise in the
	// alpha needs that much.
	webpBytes, webpFixed = 26, 64 << 20
	// seedBytes is what applying seeds needs: the small copy and its cut.
	seedBytes = 16 << 20
)

// need is the peak memory of a job in bytes, which is that of its largest stage.
// It does not include the upload. A stage holds, for each pixel,
//
//   - the photo's colours: 4 bytes, and 8 more where sixteen bits are kept;
//   - a mask of the photo's size: 1 byte, and 2 more for sixteen bits; two of
//     them while one is made from the other;
//   - the background picture, reduced to what covers the photo: 4 bytes;
//   - for seeds a third mask;
//   - what the stage itself allocates.
func need(f files, o cutout.Options, limits decode.Limits) int64 {
	photo := f.photo.Header
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
	if f.background != nil {
		picture := f.background.Header
		width, height := covered(photo.Width, photo.Height, o.Layout)
		block := int64(max(1, min(picture.Width/width, picture.Height/height)))
		all := 4 * int64(picture.Width) * int64(picture.Height)
		behind = all / (block * block)
		// While it is reduced, both are held.
		decoding = max(decoding, colours+max(picture.Memory, all+behind))
	}
	refining := colours + behind + 2*mask + refineGrid
	if f.hints != nil {
		decoding = max(decoding, colours+behind+f.hints.Memory)
	}
	if f.hints != nil || len(o.Keep)+len(o.Remove) > 0 {
		refining += mask + seedBytes
	}
	// The shadow needs the alpha in a separate plane.
	composing := colours + behind + mask + pixels + colourGrid
	placing := int64(0)
	if o.Layout != nil {
		// The result is made beside the photo and then takes its place.
		pixels = laidOut(photo, o.Layout, limits)
		placed := (4 + 8*deep) * pixels
		placing = max(colours+behind+mask+placed, placed+behind+mask+pixels) // in a frame, with its shadow
		colours, mask = placed, (1+2*deep)*pixels
	}
	return workspace + max(decoding, refining, composing, placing, encoding(pixels, colours, mask, deep, o))
}

// laidOut is the most pixels that a result with a layout has. The subject of a frame
// may be as large as the photo.
func laidOut(photo decode.Header, l *cutout.Layout, limits decode.Limits) int64 {
	width, height := float64(photo.Width), float64(photo.Height)
	if l.Frame != nil {
		w, h, _ := l.Frame.Canvas(width, height, false)
		if limits.MaxPixels > 0 {
			return int64(min(w*h, float64(limits.MaxPixels)))
		}
		return int64(w * h)
	}
	if l.Crop {
		height += math.Ceil(l.Margins[0].Of(photo.Height)) + math.Ceil(l.Margins[2].Of(photo.Height))
		width += math.Ceil(l.Margins[1].Of(photo.Width)) + math.Ceil(l.Margins[3].Of(photo.Width))
	}
	most := int64(width * height)
	if l.MaxPixels > 0 {
		most = min(most, int64(l.MaxPixels))
	}
	return most
}

// gridOf is the memory of a grid, each pixel of which stands for a block of the
// photo with about the given side.
func gridOf(photo decode.Header, side float64) int64 {
	block := max(1, int(math.Round(side)))
	return gridBytes * int64((photo.Width+block-1)/block) * int64((photo.Height+block-1)/block)
}

// encoding is the memory of the last stage: the picture, and the file, counted as
// if it could not be compressed.
func encoding(pixels, colours, mask, deep int64, o cutout.Options) int64 {
	from := colours
	samples := int64(4)
	if o.Output == cutout.Matte {
		from, samples = mask, 1
	}
	if o.Output == cutout.Matte && o.Layout != nil {
		from += colours // it is the alpha of a photo
	}
	switch o.Format {
	case cutout.JPEG:
		return from + jpegBytes*pixels
	case cutout.ZIP:
		return from + (jpegBytes+zipBytes)*pixels
	case cutout.WebP:
		// The picture is copied into the codec's memory and then freed.
		return max(from+3*pixels, webpBytes*pixels+webpFixed)
	}
	file := samples * (1 + deep) * pixels * 65 / 64
	// Once it is compressed, the picture is freed and the file assembled.
	return file + max(from, file)
}
