package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"bgremover.pro/core/cutout"
	"bgremover.pro/ops/testing/ports"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/openinference/oip"
)

// visitors send one picture after the other, several at a time, until stopped.
type visitors struct {
	sync.WaitGroup
	stop     context.CancelFunc
	answered atomic.Int32
}

func visit(t *testing.T, c *contract.Client) *visitors {
	v := &visitors{}
	var ctx context.Context
	ctx, v.stop = context.WithCancel(t.Context())
	t.Cleanup(func() { v.stop(); v.Wait() })
	for range 4 {
		v.Go(func() {
			for ctx.Err() == nil {
				segment(t, c, "")
				v.answered.Add(1)
			}
		})
	}
	return v
}

// await waits until a counter has grown by some.
func await(t *testing.T, what string, counter *atomic.Int32) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	limit := time.After(2 * time.Minute)
	for end := counter.Load() + 20; counter.Load() < end; {
		select {
		case <-ticker.C:
		case <-limit:
			t.Fatalf("%s: nothing for two minutes", what)
		}
	}
}

// Of two servers one is ended and started again, then hangs, is slow, and gives wrong
// answers, while visitors send pictures: none is lost, the log has a line about
// each fault, and the server takes part again afterwards.
func TestNoPictureIsLost(t *testing.T) {
	type fault struct {
		infer  func(ctx context.Context) error
		change func(*oip.ModelInferResponse)
	}
	var now atomic.Pointer[fault]
	now.Store(&fault{})
	a := &testServer{
		infer: func(ctx context.Context, _ func()) error {
			if f := now.Load().infer; f != nil {
				return f(ctx)
			}
			return nil
		},
		change: func(r *oip.ModelInferResponse) {
			if f := now.Load().change; f != nil {
				f(r)
			}
		},
	}
	serve(t, a)
	b := serve(t, &testServer{})
	var log bytes.Buffer
	program := command("-timeout=15s", "-endpoint=grpc://"+a.address, "-endpoint=grpc://"+b.address)
	program.Stderr = &log
	p, err := program.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if _, err := p.Client.Load(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	back := func(what string) { // the host asks all the time
		t.Helper()
		a.ready.Store(false)
		_, _ = p.Client.Describe(t.Context())
		a.ready.Store(true)
		if _, err := p.Client.Describe(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		await(t, what, &a.calls)
	}
	v := visit(t, p.Client)
	await(t, "both serve", &a.calls)

	a.stop()
	await(t, "one is ended", &v.answered)
	if d, err := p.Client.Describe(t.Context()); err != nil || !strings.Contains(d.Provider, "1 of 2 servers ready") {
		t.Errorf("one is ended: %+v, %v", d, err)
	}
	serve(t, a)
	for { // its connection is tried again after a moment
		if d, err := p.Client.Describe(t.Context()); err == nil && strings.Contains(d.Provider, "2 of 2") {
			break
		}
	}
	await(t, "it is started again", &a.calls)

	for name, f := range map[string]*fault{
		"hangs":   {infer: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
		"is slow": {infer: func(ctx context.Context) error { <-time.After(200 * time.Millisecond); return ctx.Err() }},
		"fails":   {infer: func(context.Context) error { return status.Error(codes.Internal, "out of memory") }},
		"is wrong": {change: func(r *oip.ModelInferResponse) {
			r.RawOutputContents[0] = r.RawOutputContents[0][:400]
		}},
	} {
		now.Store(f)
		await(t, name, &v.answered)
		now.Store(&fault{})
		back("after it " + name)
	}
	v.stop()
	v.Wait()
	p.Stop() // its log is complete
	for _, says := range []string{"connection refused", "no answer within 15s", "out of memory", "a broken mask", "a server answers again", "a server is ready again"} {
		if !strings.Contains(log.String(), says) {
			t.Errorf("the log does not say %q", says)
		}
	}
}

// Where a server is down at the start, the others serve; it joins when it is up.
func TestJoinsLater(t *testing.T) {
	a := &testServer{address: ports.Free(t)}
	b := serve(t, &testServer{})
	c := start(t, "-endpoint=grpc://"+a.address, "-endpoint=grpc://"+b.address)
	segment(t, c, "")
	serve(t, a)
	for a.calls.Load() == 0 {
		if _, err := c.Describe(t.Context()); cutout.CodeOf(err) != "" {
			t.Fatal(err)
		}
		segment(t, c, "")
	}
}

// One name that stands for two servers, as that of a Kubernetes service does: both take
// part, and while one is down the other answers every picture, in the same call.
func TestNameOfTwoServers(t *testing.T) {
	a, b := serve(t, &testServer{}), serve(t, &testServer{})
	names := manual.NewBuilderWithScheme("two")
	names.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: a.address}, {Addr: b.address}}})
	resolver.Register(names)
	before := resolver.GetDefaultScheme()
	resolver.SetDefaultScheme("two")
	defer resolver.SetDefaultScheme(before)

	servers, err := dial(options{endpoints: []string{"grpc://inference:8001"}, timeout: 10 * time.Second}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer servers.close()
	backend := newBackend(servers, "{model}")
	if _, err := backend.Load(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	picture := &cutout.Input{Width: 1024, Height: 1024, Pix: bytes.Repeat([]byte{210}, 3<<20)} // 13 MB to be sent again
	large := func() {
		t.Helper()
		if _, _, err := backend.Segment(t.Context(), spec.Name, picture); err != nil {
			t.Error(err)
		}
	}
	for a.all.Load() == 0 || b.all.Load() == 0 {
		large()
	}
	b.stop()
	for range 4 {
		large()
	}
	serve(t, b)
	for calls := b.all.Load(); b.all.Load() == calls; {
		large()
	}
}
