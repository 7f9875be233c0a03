package decode

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"bgremover.pro/core/decode/internal/heif"
	"bgremover.pro/core/sandbox"
	"bgremover.pro/core/sandbox/clib"
)

// Prepare compiles the codecs, about a second of work that the first HEIC, AVIF or
// lossy WebP photo would otherwise wait for.
func Prepare() error {
	return errors.Join(clib.HEIF.Prepare(), clib.AVIF.Prepare(), clib.WebP.Prepare())
}

func isHEIC(data []byte) bool {
	return hasBrand(data, "heic", "heix", "heim", "heis", "hevc", "hevx") || hasBrand(data, "mif1", "msf1") && !isAVIF(data)
}

func isAVIF(data []byte) bool { return hasBrand(data, "avif", "avis") }

func hasBrand(data []byte, brands ...string) bool {
	return slices.ContainsFunc(heif.Brands(data), func(b string) bool { return slices.Contains(brands, b) })
}

// probeHEIF reads what both formats share. The codec gets so many bytes of
// memory for a pixel, beside some for small pictures.
func probeHEIF(data []byte, perPixel int64) (header, error) {
	p, err := heif.Read(data)
	if err != nil {
		return header{}, err
	}
	h := header{orientation: p.Orientation(), profile: p.Profile, coding: p.Coding}
	h.Width, h.Height, h.Depth = p.Width, p.Height, max(8, p.Depth)
	// Tiles may reach over the edge, but no item needs to be twice the size.
	pixels := area(p.Width, p.Height)
	if p.Largest > 2*pixels+1<<22 {
		return header{}, errors.New("an item much larger than the picture")
	}
	h.sandbox = perPixel*pixels + 2*int64(len(data)) + 32<<20
	h.Memory = 4*pixels + h.sandbox + int64(len(data)) // a copy is given to it
	return h, nil
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
	process, err := program.Start(ctx, h.sandbox)
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
