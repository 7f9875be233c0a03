package sandbox_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"bgremover.pro/core/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// module is assembled by hand: a memory of one page, a global, and three
// functions: "spin" loops for ever, "grow" asks for so many pages more, "add"
// sums up the numbers below its argument in a loop that ends.
var module = func() []byte {
	section := func(id byte, body ...byte) []byte { return append([]byte{id, byte(len(body))}, body...) }
	name := func(s string, kind, index byte) []byte {
		return append(append([]byte{byte(len(s))}, s...), kind, index)
	}
	function := func(code ...byte) []byte { return append([]byte{byte(len(code))}, code...) }
	spin := function(0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0, 0x0b)
	grow := function(0, 0x20, 0, 0x40, 0, 0x0b)
	add := function(1, 1, 0x7f, // one local
		0x03, 0x40, // loop
		0x20, 1, 0x20, 0, 0x6a, 0x21, 1, // sum += n
		0x20, 0, 0x41, 1, 0x6b, 0x22, 0, // n--
		0x0d, 0, 0x0b, // again while n
		0x20, 1, 0x0b)
	return bytes.Join([][]byte{
		[]byte("\x00asm\x01\x00\x00\x00"),
		section(1, 1, 0x60, 1, 0x7f, 1, 0x7f), // (i32) -> i32
		section(3, 3, 0, 0, 0),
		section(5, 1, 0, 1),
		section(6, 1, 0x7f, 1, 0x41, 7, 0x0b),
		section(7, bytes.Join([][]byte{{4}, name("spin", 0, 0), name("grow", 0, 1), name("add", 0, 2), name("memory", 2, 0)}, nil)...),
		section(10, bytes.Join([][]byte{{3}, spin, grow, add}, nil)...),
	}, nil)
}()

func zipped(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

func start(t *testing.T, ctx context.Context, memory int64) *sandbox.Process {
	t.Helper()
	p, err := sandbox.New(zipped(module)).Start(ctx, memory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestEndlessLoopEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := start(t, ctx, 1<<20)
	ended := make(chan error)
	go func() {
		_, err := p.Call("spin", 0)
		ended <- err
	}()
	cancel()
	if err := <-ended; err == nil {
		t.Error("an endless loop has no result")
	}
}

func TestLoopThatEnds(t *testing.T) {
	if sum, err := start(t, t.Context(), 1<<20).Call("add", 100); err != nil || sum != 5050 {
		t.Errorf("%d, %v", sum, err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	p := start(t, t.Context(), 4*65536)
	for _, c := range []struct{ pages, before uint32 }{{3, 1}, {1, 1<<32 - 1}, {0, 4}} {
		if got, err := p.Call("grow", c.pages); err != nil || got != c.before {
			t.Errorf("growing by %d pages: %d, %v", c.pages, int32(got), err)
		}
	}
	if _, err := p.Read(4*65536-4, 8); err == nil {
		t.Error("read beyond the memory")
	}
}

func TestProcessesShareNothing(t *testing.T) {
	program := sandbox.New(zipped(module))
	for range 3 {
		p, err := program.Start(t.Context(), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		view, err := p.Read(64, 1)
		if err != nil || view[0] != 0 {
			t.Fatalf("%v, %v", view, err)
		}
		view[0] = 9
	}
}

func TestMalformedModules(t *testing.T) {
	for n := range module {
		data := module[:n]
		if p, err := sandbox.New(zipped(data)).Start(t.Context(), 1<<20); err == nil {
			p.Close()
			t.Errorf("%d of %d bytes make a module", n, len(module))
		}
	}
	broken := []byte("no gzip")
	if err := sandbox.New(broken).Prepare(); err == nil || errors.Is(err, sandbox.ErrMemory) {
		t.Error(err)
	}
}
