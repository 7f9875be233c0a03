//go:build !js

package sandbox

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// Program is a codec, compiled when it is first needed.
type Program struct {
	compile func() (compiled, error)
}

type compiled struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

// New returns the program in a gzipped WebAssembly module.
func New(zipped []byte) *Program {
	return &Program{sync.OnceValues(func() (compiled, error) { return compile(zipped) })}
}

func compile(zipped []byte) (compiled, error) {
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return compiled{}, err
	}
	code, err := io.ReadAll(z)
	if err != nil {
		return compiled{}, err
	}
	if code, err = stoppable(code); err != nil {
		return compiled{}, err
	}
	// The program outlives every request, so its context must not be one's.
	ctx := context.Background()
	runtime := wazero.NewRuntime(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
		return compiled{}, err
	}
	module, err := runtime.CompileModule(ctx, code)
	if err != nil {
		_ = runtime.Close(ctx)
	}
	return compiled{runtime, module}, err
}

// Prepare compiles the program ahead of its first use.
func (p *Program) Prepare() error {
	_, err := p.compile()
	return err
}

// Process is one run of a program. It ends, wherever it is, when its context
// does.
type Process struct {
	ctx    context.Context //nolint:containedctx // a process lives within one call
	module api.Module
	// release stops watching the context.
	release func() bool
}

// Start starts a process that may use the given bytes of memory.
func (p *Program) Start(ctx context.Context, memory int64) (*Process, error) {
	c, err := p.compile()
	if err != nil {
		return nil, err
	}
	bounded := experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(func(_, most uint64) experimental.LinearMemory {
		return newMemory(min(most, uint64(memory)))
	}))
	// Without a name, so that many can run; with no files, clock or output.
	module, err := c.runtime.InstantiateModule(bounded, c.module, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, fmt.Errorf("starting the codec: %w", err)
	}
	stop, ok := module.ExportedGlobal(stopFlag).(api.MutableGlobal)
	if !ok {
		_ = module.Close(ctx)
		return nil, fmt.Errorf("%w: no sections for globals and exports", errModule)
	}
	release := context.AfterFunc(ctx, func() { stop.Set(1) })
	return &Process{ctx, module, release}, nil
}

// Close ends the process and frees its memory, including what Read returned.
func (p *Process) Close() {
	p.release()
	_ = p.module.Close(context.WithoutCancel(p.ctx))
}

// Call calls an exported function; arguments and result are 32-bit numbers.
func (p *Process) Call(function string, args ...uint32) (uint32, error) {
	wide := make([]uint64, len(args))
	for i, a := range args {
		wide[i] = uint64(a)
	}
	out, err := p.module.ExportedFunction(function).Call(p.ctx, wide...)
	if err != nil {
		return 0, err
	}
	return uint32(out[0]), nil
}

// Alloc allocates bytes in the process's memory and returns their address.
func (p *Process) Alloc(size int) (uint32, error) {
	if int64(size) > 1<<32-1 {
		return 0, ErrMemory
	}
	at, err := p.Call("malloc", uint32(size))
	if err == nil && at == 0 {
		err = ErrMemory
	}
	return at, err
}

// Write copies data into the process's memory and returns its address.
func (p *Process) Write(data []byte) (uint32, error) {
	at, err := p.Alloc(len(data))
	if err == nil && !p.module.Memory().Write(at, data) {
		err = ErrMemory
	}
	return at, err
}

// Read returns a view of the process's memory, valid until Close.
func (p *Process) Read(at uint32, size int) ([]byte, error) {
	if int64(size) > 1<<32-1 {
		return nil, ErrMemory
	}
	view, ok := p.module.Memory().Read(at, uint32(size))
	if !ok {
		return nil, errors.New("the codec returned an address outside its memory")
	}
	return view, nil
}
