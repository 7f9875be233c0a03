package sandbox

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"

	"bgremover.pro/core/promise"
)

// Program is a codec that the global function startCodec(name, memory) starts: a promise
// of the exports of a new instance.
type Program struct{ name string }

// Named returns the program of that name.
func Named(name string) *Program { return &Program{name} }

// Process is one run of a program. It is stopped only with the whole worker, which
// the page ends when decoding takes too long.
type Process struct{ exports js.Value }

// Start starts a process that may use the given bytes of memory.
func (p *Program) Start(_ context.Context, memory int64) (*Process, error) {
	exports, err := promise.Await(js.Global().Call("startCodec", p.name, float64(memory)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	return &Process{exports}, nil
}

// Close leaves the process's memory to be collected.
func (p *Process) Close() { p.exports = js.Undefined() }

// Call calls an exported function; arguments and result are 32-bit numbers.
func (p *Process) Call(function string, args ...uint32) (_ uint32, err error) {
	defer func() {
		if trap := recover(); trap != nil {
			err = errors.New("the codec stopped")
		}
	}()
	wide := make([]any, len(args))
	for i, a := range args {
		wide[i] = a
	}
	return uint32(p.exports.Call(function, wide...).Int()), nil //nolint:gosec // wraps, as C's numbers do
}

// Alloc allocates bytes in the process's memory and returns their address.
func (p *Process) Alloc(size int) (uint32, error) {
	at, err := p.Call("malloc", uint32(size)) //nolint:gosec // sizes here have 32 bits
	if err == nil && at == 0 {
		err = ErrMemory
	}
	return at, err
}

// Write copies data into the process's memory and returns its address.
func (p *Process) Write(data []byte) (uint32, error) {
	at, err := p.Alloc(len(data))
	if err == nil {
		js.CopyBytesToJS(p.view(at, len(data)), data)
	}
	return at, err
}

// Read returns a copy of a part of the process's memory.
func (p *Process) Read(at uint32, size int) ([]byte, error) {
	b := make([]byte, size)
	if js.CopyBytesToGo(b, p.view(at, size)) != size {
		return nil, errors.New("the codec returned an address outside its memory")
	}
	return b, nil
}

// view is a part of the process's memory as it is now: growing replaces it.
func (p *Process) view(at uint32, size int) js.Value {
	all := js.Global().Get("Uint8Array").New(p.exports.Get("memory").Get("buffer"))
	return all.Call("subarray", at, float64(at)+float64(size))
}
