package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// stopFlag is the exported name of the global that stoppable adds.
const stopFlag = "sandbox.stop"

var errModule = errors.New("malformed WebAssembly module")

// stoppable rewrites a WebAssembly module so that it can be stopped: each loop begins with
// a check of a global and traps once that is not zero. Code that runs forever passes the
// head of a loop forever, so nothing escapes. The runtime has such a check of its own,
// which leaves the compiled code at every turn of every loop and makes these codecs three
// times slower.
func stoppable(module []byte) ([]byte, error) {
	const preamble = "\x00asm\x01\x00\x00\x00"
	if len(module) < 8 || string(module[:8]) != preamble {
		return nil, errModule
	}
	in := cursor{data: module[8:]}
	out := []byte(preamble)
	var globals uint32 // in the module so far, imported ones first
	for len(in.data) > 0 && !in.failed {
		id := in.byte()
		body := in.take(int(in.uint()))
		var err error
		switch id {
		case 2:
			globals, err = importedGlobals(body)
		case 6:
			body, globals = addGlobal(body, globals)
		case 7:
			body = addExport(body, globals-1)
		case 10:
			body, err = guardLoops(body, globals-1)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, id)
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
	}
	if in.failed {
		return nil, errModule
	}
	return out, nil
}

func importedGlobals(section []byte) (uint32, error) {
	in := cursor{data: section}
	var globals uint32
	for range in.uint() {
		in.take(int(in.uint())) // module
		in.take(int(in.uint())) // name
		switch in.byte() {
		case 0: // function
			in.uint()
		case 3: // global
			in.take(2)
			globals++
		default: // tables and memories are the codecs' own
			return 0, fmt.Errorf("%w: unexpected import", errModule)
		}
	}
	return globals, nil
}

// addGlobal appends a mutable i32 of 0 and returns the number of globals.
func addGlobal(section []byte, imported uint32) ([]byte, uint32) {
	in := cursor{data: section}
	count := in.uint()
	out := binary.AppendUvarint(nil, uint64(count+1))
	out = append(out, in.data...)
	return append(out, 0x7f, 1, 0x41, 0, 0x0b), imported + count + 1
}

func addExport(section []byte, global uint32) []byte {
	in := cursor{data: section}
	out := binary.AppendUvarint(nil, uint64(in.uint()+1))
	out = append(out, in.data...)
	out = append(out, byte(len(stopFlag)))
	out = append(out, stopFlag...)
	return binary.AppendUvarint(append(out, 3), uint64(global))
}

// guardLoops puts the check behind every loop instruction of every function.
func guardLoops(section []byte, global uint32) ([]byte, error) {
	check := binary.AppendUvarint([]byte{0x23}, uint64(global)) // global.get
	check = append(check, 0x04, 0x40, 0x00, 0x0b)               // if, no result; unreachable; end
	in := cursor{data: section}
	count := in.uint()
	out := binary.AppendUvarint(nil, uint64(count))
	for range count {
		body := cursor{data: in.take(int(in.uint()))}
		whole := body.data
		for range body.uint() { // groups of locals
			body.uint()
			body.byte()
		}
		code := append([]byte(nil), whole[:len(whole)-len(body.data)]...)
		for len(body.data) > 0 {
			before := body.data
			loop := before[0] == 0x03
			if err := body.instruction(); err != nil {
				return nil, err
			}
			code = append(code, before[:len(before)-len(body.data)]...)
			if loop {
				code = append(code, check...)
			}
		}
		out = binary.AppendUvarint(out, uint64(len(code)))
		out = append(out, code...)
	}
	if in.failed {
		return nil, errModule
	}
	return out, nil
}

// cursor reads a module's encoding; failed means that it ended too early.
type cursor struct {
	data   []byte
	failed bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.data) {
		c.failed, c.data = true, nil
		return nil
	}
	head := c.data[:n]
	c.data = c.data[n:]
	return head
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

// uint reads a LEB128 number; it serves to skip signed ones too.
func (c *cursor) uint() uint32 {
	var v uint64
	for shift := 0; shift < 70; shift += 7 {
		b := c.byte()
		v |= uint64(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
	}
	return uint32(v)
}

func (c *cursor) uints(n int) {
	for range n {
		c.uint()
	}
}

// instruction skips one instruction (WebAssembly Core 2.0, section 5.4).
func (c *cursor) instruction() error {
	switch op := c.byte(); {
	case op >= 0x02 && op <= 0x04: // block, loop, if: a type
		c.uint()
	case op == 0x0c, op == 0x0d, op == 0x10, op >= 0x20 && op <= 0x26, op == 0x3f, op == 0x40,
		op == 0x41, op == 0x42, op == 0xd0, op == 0xd2: // one number
		c.uint()
	case op == 0x11, op >= 0x28 && op <= 0x3e: // call_indirect; loads and stores
		c.uints(2)
	case op == 0x0e: // br_table
		c.uints(int(c.uint()) + 1)
	case op == 0x1c: // select with types
		c.uints(int(c.uint()))
	case op == 0x43:
		c.take(4)
	case op == 0x44:
		c.take(8)
	case op == 0xfc:
		c.bulk()
	case op == 0xfd:
		c.vector()
	case op <= 0x01, op == 0x05, op == 0x0b, op == 0x0f, op == 0x1a, op == 0x1b, op >= 0x45 && op <= 0xc4, op == 0xd1:
	default:
		return fmt.Errorf("%w: instruction %#x", errModule, op)
	}
	if c.failed {
		return errModule
	}
	return nil
}

func (c *cursor) bulk() {
	switch op := c.uint(); {
	case op >= 8 && op != 9 && op != 11 && op < 13, op == 14: // init, copy
		c.uints(2)
	case op == 9, op == 11, op >= 13: // drop, fill, grow, size
		c.uint()
	}
}

func (c *cursor) vector() {
	switch op := c.uint(); {
	case op <= 11, op == 92, op == 93: // loads and stores
		c.uints(2)
	case op == 12, op == 13: // const, shuffle
		c.take(16)
	case op >= 21 && op <= 34: // a lane
		c.take(1)
	case op >= 84 && op <= 91: // loads and stores of a lane
		c.uints(2)
		c.take(1)
	}
}
