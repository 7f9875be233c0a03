package decode

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"slices"
	_ "unsafe" // for go:linkname

	_ "github.com/gen2brain/avif"
	_ "github.com/gen2brain/heic"

	"bgremover.pro/core/decode/internal/colour"
	"bgremover.pro/core/decode/internal/heif"
	"bgremover.pro/core/sandbox"
)

// The codecs as those modules embed them: libheif with libde265, and libavif
// with libaom, compiled to WebAssembly. They are taken from there so that
// go.sum pins them; the modules' own Go code runs them without any limit on
// memory or time and is not used.
//
//go:linkname heifWasm github.com/gen2brain/heic.heifWasm
//go:linkname avifWasm github.com/gen2brain/avif.decodeWasm
var heifWasm, avifWasm []byte

var (
	heicProgram = sandbox.New(&heifWasm)
	avifProgram = sandbox.New(&avifWasm)
)

// Prepare compiles the codecs that need it, about a second of work that the
// first HEIC or AVIF photo otherwise waits for.
func Prepare() error {
	return errors.Join(heicProgram.Prepare(), avifProgram.Prepare())
}

func isHEIC(data []byte) bool {
	return hasBrand(data, "heic", "heix", "heim", "heis", "hevc", "hevx") || hasBrand(data, "mif1", "msf1") && !isAVIF(data)
}

func isAVIF(data []byte) bool { return hasBrand(data, "avif", "avis") }

func hasBrand(data []byte, brands ...string) bool {
	return slices.ContainsFunc(heif.Brands(data), func(b string) bool { return slices.Contains(brands, b) })
}

func probeHEIF(data []byte) (header, error) {
	p, err := heif.Read(data)
	if err != nil {
		return header{}, err
	}
	h := header{orientation: p.Orientation(), profile: p.Profile, coding: p.Coding}
	h.Width, h.Height, h.Depth = p.Width, p.Height, max(8, p.Depth)
	// Tiles may reach over the edge, but no item needs to be twice the size.
	if p.Largest > 2*int64(p.Width)*int64(p.Height)+1<<22 {
		return header{}, errors.New("an item much larger than the picture")
	}
	h.Memory = 4*int64(p.Width)*int64(p.Height) + sandboxMemory(h, data)
	return h, nil
}

// probeHEIC differs in that libheif turns the picture itself.
func probeHEIC(data []byte) (header, error) {
	h, err := probeHEIF(data)
	if h.orientation >= 5 {
		h.Width, h.Height = h.Height, h.Width
	}
	h.orientation = 1
	return h, err
}

// sandboxMemory bounds what a codec gets. Measured peaks are 11 (HEIC) and 15
// (AVIF; 10 bits: 27) bytes a pixel; the rest is for small pictures.
func sandboxMemory(h header, data []byte) int64 {
	perPixel := int64(16)
	if h.Depth > 8 {
		perPixel = 32
	}
	return perPixel*int64(h.Width)*int64(h.Height) + 2*int64(len(data)) + 32<<20
}

// wasmPicture runs a codec's decode function twice, as both codecs have it:
// for the size and kind, then for the pixels, of which it wants to know the
// number of bytes.
type wasmPicture struct {
	*sandbox.Process
	input  uint32
	length int
	info   uint32 // address of the numbers that describe the picture
	fields int
}

func startWasm(ctx context.Context, program *sandbox.Program, data []byte, h header, fields int) (*wasmPicture, error) {
	process, err := program.Start(ctx, sandboxMemory(h, data))
	if err != nil {
		return nil, err
	}
	p := &wasmPicture{Process: process, length: len(data), fields: fields}
	if p.input, err = process.Write(data); err == nil {
		p.info, err = process.Write(make([]byte, 4*fields))
	}
	if err != nil {
		process.Close()
		return nil, err
	}
	return p, nil
}

// decode calls the codec and returns the numbers it set.
func (p *wasmPicture) decode(args ...uint32) ([]int, error) {
	ok, err := p.Call("decode", args...)
	if err != nil {
		return nil, err
	}
	if ok == 0 {
		return nil, errors.New("the codec refused it")
	}
	view, err := p.Read(p.info, 4*p.fields)
	if err != nil {
		return nil, err
	}
	numbers := make([]int, p.fields)
	for i := range numbers {
		numbers[i] = int(binary.LittleEndian.Uint32(view[4*i:]))
	}
	return numbers, nil
}

// field returns the address of one number.
func (p *wasmPicture) field(i int) uint32 { return p.info + uint32(4*i) }

// libheif's numbers for kinds of pixels.
const (
	heifYCbCr, heifRGB, heifGrey = 0, 1, 2
	heif420, heif422, heif444    = 1, 2, 3
)

func decodeHEIC(ctx context.Context, data []byte, h header) (raster, error) {
	// The codec's wrapper refuses files whose first brand is not HEVC's, though
	// what they hold is.
	data = slices.Concat(data[:8], []byte("heic"), data[12:])
	p, err := startWasm(ctx, heicProgram, data, h, 5)
	if err != nil {
		return raster{}, err
	}
	r, err := p.heic(h)
	if err != nil {
		p.Close()
		return raster{}, err
	}
	r.close = p.Close
	return r, nil
}

func (p *wasmPicture) heic(h header) (raster, error) {
	call := func(sizeOnly, out uint32) ([]int, error) {
		return p.decode(p.input, uint32(p.length), sizeOnly, p.field(0), p.field(1), p.field(2), p.field(3), p.field(4), out)
	}
	info, err := call(1, 0)
	if err != nil {
		return raster{}, err
	}
	width, height := info[0], info[1]
	if width != h.Width || height != h.Height {
		return raster{}, fmt.Errorf("size %dx%d is not the header's", width, height)
	}
	img := &image.YCbCr{Rect: image.Rect(0, 0, width, height), YStride: align(width)}
	chromaRows := height
	switch kind, chroma := info[2], info[3]; {
	case kind == heifGrey:
		chromaRows = 0
	case kind == heifRGB:
		img.YStride = align(4 * width)
		chromaRows = 0
	case kind == heifYCbCr && chroma == heif420:
		img.SubsampleRatio, img.CStride, chromaRows = image.YCbCrSubsampleRatio420, align((width+1)/2), (height+1)/2
	case kind == heifYCbCr && chroma == heif422:
		img.SubsampleRatio, img.CStride = image.YCbCrSubsampleRatio422, align((width+1)/2)
	case kind == heifYCbCr && chroma == heif444:
		img.SubsampleRatio, img.CStride = image.YCbCrSubsampleRatio444, img.YStride
	default:
		return raster{}, errUnsupported
	}
	luma, chroma := img.YStride*height, img.CStride*chromaRows
	out, err := p.Alloc(luma + 2*chroma)
	if err != nil {
		return raster{}, err
	}
	if _, err := call(0, out); err != nil {
		return raster{}, err
	}
	view, err := p.Read(out, luma+2*chroma)
	if err != nil {
		return raster{}, err
	}
	img.Y, img.Cb, img.Cr = view[:luma], view[luma:luma+chroma], view[luma+chroma:]
	coding := colour.JPEG
	if h.coding != nil {
		coding = *h.coding
	}
	switch info[2] {
	case heifGrey:
		return newRaster(&image.Gray{Pix: img.Y, Stride: img.YStride, Rect: img.Rect})
	case heifRGB:
		r := raster{width: width, height: height}
		r.rows = plain(func(y int, dst []uint8) { copy(dst, img.Y[y*img.YStride:]) })
		return r, nil
	}
	return raster{width: width, height: height, opaque: true, rows: planar{YCbCr: img, coding: coding}.rows()}, nil
}

// align returns the length of libheif's rows: no shorter than 64 bytes, and
// rounded up to 16.
func align(n int) int { return (max(n, 64) + 15) &^ 15 }

func decodeAVIF(ctx context.Context, data []byte, h header) (raster, error) {
	p, err := startWasm(ctx, avifProgram, data, h, 6)
	if err != nil {
		return raster{}, err
	}
	r, err := p.avif(h)
	if err != nil {
		p.Close()
		return raster{}, err
	}
	r.close = p.Close
	return r, nil
}

func (p *wasmPicture) avif(h header) (raster, error) {
	call := func(sizeOnly, out uint32) ([]int, error) {
		const allFrames = 0
		return p.decode(p.input, uint32(p.length), sizeOnly, allFrames, p.field(0), p.field(1), p.field(2), p.field(3), p.field(4), out)
	}
	info, err := call(1, 0)
	if err != nil {
		return raster{}, err
	}
	width, height, deep := info[0], info[1], info[2] > 8
	if width*height != h.Width*h.Height {
		return raster{}, fmt.Errorf("size %dx%d is not the header's", width, height)
	}
	stride := 4 * width
	if deep {
		stride *= 2
	}
	out, err := p.Alloc(stride * height)
	if err != nil {
		return raster{}, err
	}
	if _, err := call(0, out); err != nil {
		return raster{}, err
	}
	view, err := p.Read(out, stride*height)
	if err != nil {
		return raster{}, err
	}
	r := raster{width: width, height: height}
	if deep {
		r.wide(func(y int, dst []uint16) {
			src := view[y*stride:]
			for i := range dst {
				dst[i] = binary.LittleEndian.Uint16(src[2*i:])
			}
			divideAlpha(dst)
		})
		return r, nil
	}
	// libavif is asked for colours times alpha; opaque pixels are the same.
	r.premultiplied(view, stride)
	return r, nil
}
