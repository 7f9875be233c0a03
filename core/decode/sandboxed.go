package decode

import (
	"context"
	"encoding/binary"
	"errors"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/sandbox"
)

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
	if errors.Is(err, sandbox.ErrAbsent) {
		return nil, cutout.Wrap(cutout.UnsupportedFormat, err,
			"What opens this format could not be loaded. Try again once you are online, or save the photo as a JPEG or PNG.")
	}
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
