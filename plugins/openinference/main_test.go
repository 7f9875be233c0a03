package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"bgremover.pro/core/cutout"
	"bgremover.pro/ops/testing/certs"
	"bgremover.pro/ops/testing/ports"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/contracttest"
	"bgremover.pro/plugins/internal/plugintest"
	"bgremover.pro/plugins/openinference/oip"
)

var program string

func TestMain(m *testing.M) { plugintest.Main(m, &program) }

var spec = cutout.Model{
	Name: "mean", Input: "x", Output: "y", Scale: 255, Std: [3]float32{1, 1, 1}, Post: cutout.PostNone,
	Variants: []cutout.Variant{{Size: 32}, {Size: 1024}},
}

func command(args ...string) contracttest.Command {
	return contracttest.Command{Path: program, Args: args, TLS: true}
}

// start starts the backend with the model loaded.
func start(t *testing.T, args ...string) *contract.Client {
	t.Helper()
	p, err := command(args...).Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	if _, err := p.Client.Load(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	return p.Client
}

func picture() *cutout.Input {
	return &cutout.Input{Width: 32, Height: 32, Pix: bytes.Repeat([]byte{210, 210, 210}, 32*32)}
}

// segment expects the right mask, or an error of a code.
func segment(t *testing.T, c *contract.Client, want cutout.Code) error {
	t.Helper()
	mask, _, err := c.Segment(t.Context(), spec.Name, picture())
	if cutout.CodeOf(err) != want {
		t.Errorf("got %v, want code %q", err, want)
	}
	if err == nil && !bytes.Equal(mask.Pix, bytes.Repeat([]byte{210}, 32*32)) {
		t.Errorf("the mask is %d…", mask.Pix[:8])
	}
	return err
}

func TestConformance(t *testing.T) {
	s := serve(t, &testServer{})
	plugintest.Conform(t, command("-endpoint=grpc://"+ports.Free(t), "-endpoint=grpc://"+s.address), spec)
}

func TestDataTypes(t *testing.T) {
	for name, s := range map[string]*testServer{
		"float16":              {datatype: fp16},
		"bytes":                {datatype: uint8s},
		"silent about tensors": {silent: true},
		"contents instead of raw": {change: func(r *oip.ModelInferResponse) {
			contents := &oip.InferTensorContents{}
			for i := 0; i < len(r.RawOutputContents[0]); i += 4 {
				contents.Fp32Contents = append(contents.Fp32Contents, math.Float32frombits(binary.LittleEndian.Uint32(r.RawOutputContents[0][i:])))
			}
			r.Outputs[0].Contents, r.RawOutputContents = contents, nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			segment(t, start(t, "-endpoint=grpc://"+serve(t, s).address), "")
		})
	}
}

func TestBrokenAnswers(t *testing.T) {
	for name, change := range map[string]func(*oip.ModelInferResponse){
		"other output": func(r *oip.ModelInferResponse) { r.Outputs[0].Name = "z" },
		"no output":    func(r *oip.ModelInferResponse) { r.Outputs = nil },
		"no values":    func(r *oip.ModelInferResponse) { r.RawOutputContents = nil },
		"too few":      func(r *oip.ModelInferResponse) { r.RawOutputContents[0] = r.RawOutputContents[0][:400] },
		"odd bytes":    func(r *oip.ModelInferResponse) { r.RawOutputContents[0] = r.RawOutputContents[0][:401] },
		"two planes": func(r *oip.ModelInferResponse) {
			r.RawOutputContents[0] = append(r.RawOutputContents[0], r.RawOutputContents[0]...)
		},
		"other type":   func(r *oip.ModelInferResponse) { r.Outputs[0].Datatype = "INT8" },
		"not a number": func(r *oip.ModelInferResponse) { copy(r.RawOutputContents[0], []byte{0, 0, 0xc0, 0x7f}) },
	} {
		t.Run(name, func(t *testing.T) {
			segment(t, start(t, "-endpoint=grpc://"+serve(t, &testServer{change: change}).address), cutout.Internal)
		})
	}
}

// Of a model's sizes, those that the servers have are ready.
func TestSubsetOfSizes(t *testing.T) {
	for name, s := range map[string]*testServer{
		"reported": {side: 1024},
		"silent":   {side: 1024, silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			command := command("-endpoint=grpc://" + serve(t, s).address)
			p, err := command.Start(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer p.Kill()
			if sizes, err := p.Client.Load(t.Context(), spec); err != nil || !slices.Equal(sizes, []int{1024}) {
				t.Errorf("sizes %v are ready, %v; want 1024", sizes, err)
			}
		})
	}
	other := spec
	other.Variants = []cutout.Variant{{Size: 32}, {Size: 128}}
	plugintest.Conform(t, command("-endpoint=grpc://"+serve(t, &testServer{side: 128, silent: true}).address), other)
	small := serve(t, &testServer{side: 512})
	p, err := command("-endpoint=grpc://" + small.address).Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if _, err := p.Client.Load(t.Context(), spec); cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("a server without any of the sizes: %v", err)
	}
}

// A server whose limit the pictures exceed is found when the model is loaded.
func TestMessageLimit(t *testing.T) {
	s := serve(t, &testServer{}, grpc.MaxRecvMsgSize(4<<20))
	p, err := command("-endpoint=grpc://" + s.address).Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if _, err := p.Client.Load(t.Context(), spec); cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(err.Error(), "raise its limit") {
		t.Errorf("Load: %v", err)
	}
}

// Whatever happens to one server, another answers.
func TestAnotherServerAnswers(t *testing.T) {
	for name, infer := range map[string]func(ctx context.Context, stop func()) error{
		"busy":    func(context.Context, func()) error { return status.Error(codes.ResourceExhausted, "queue full") },
		"wrong":   nil,
		"broken":  func(context.Context, func()) error { return status.Error(codes.Internal, "out of memory") },
		"stopped": func(ctx context.Context, stop func()) error { go stop(); <-ctx.Done(); return ctx.Err() },
		"hangs":   func(ctx context.Context, _ func()) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			bad, good := serve(t, &testServer{infer: infer}), serve(t, &testServer{})
			if infer == nil {
				bad.change = func(r *oip.ModelInferResponse) { r.RawOutputContents[0] = r.RawOutputContents[0][:400] }
			}
			timeout := "-timeout=1m"
			if name == "hangs" {
				timeout = "-timeout=6s" // which the good server keeps on a busy machine too
			}
			c := start(t, timeout, "-endpoint=grpc://"+bad.address, "-endpoint=grpc://"+good.address)
			for range 4 { // each has its turn as the first
				segment(t, c, "")
			}
			if bad.calls.Load() != 1 || good.calls.Load() != 4 {
				t.Errorf("the bad server was asked %d times, the good one %d; want 1 and 4: it rests after a failure",
					bad.calls.Load(), good.calls.Load())
			}
		})
	}
}

func TestNoServerAnswers(t *testing.T) {
	a, b := serve(t, &testServer{}), serve(t, &testServer{})
	c := start(t, "-endpoint=grpc://"+a.address, "-endpoint=grpc://"+b.address)
	if d, err := c.Describe(t.Context()); err != nil || d.Provider != "test 7, 2 of 2 servers ready" {
		t.Errorf("%+v, %v", d, err)
	}
	a.ready.Store(false)
	if d, err := c.Describe(t.Context()); err != nil || d.Provider != "test 7, 1 of 2 servers ready" {
		t.Errorf("%+v, %v", d, err)
	}
	b.stop()
	_, err := c.Describe(t.Context())
	for _, says := range []string{"no server is ready", a.address + ": it is not ready", b.address} {
		if cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v; want it unavailable, saying %q", err, says)
		}
	}
	a.stop()
	if err := segment(t, c, cutout.BackendUnavailable); !strings.Contains(err.Error(), a.address) || !strings.Contains(err.Error(), b.address) {
		t.Errorf("%v does not name the servers", err)
	}
}

// A deadline reaches the server: it need not work for nobody.
func TestDeadlineTravels(t *testing.T) {
	ended := make(chan struct{})
	s := serve(t, &testServer{infer: func(ctx context.Context, _ func()) error {
		<-ctx.Done()
		close(ended)
		return ctx.Err()
	}})
	c := start(t, "-endpoint=grpc://"+s.address)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, _, err := c.Segment(ctx, spec.Name, picture()); cutout.CodeOf(err) != cutout.Timeout {
		t.Errorf("got %v, want a timeout", err)
	}
	<-ended
}

func TestModelsThatDoNotFit(t *testing.T) {
	c := start(t, "-endpoint=grpc://"+serve(t, &testServer{}).address)
	for name, m := range map[string]cutout.Model{
		"unknown":   {Name: "other", Input: "x", Output: "y"},
		"no input":  {Name: "mean", Input: "pixels", Output: "y"},
		"no output": {Name: "mean", Input: "x", Output: "alpha"},
	} {
		m.Scale, m.Std, m.Post, m.Variants = 1, spec.Std, spec.Post, spec.Variants
		if _, err := c.Load(t.Context(), m); cutout.CodeOf(err) != cutout.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	segment(t, c, "") // the model loaded before still serves
}

func TestTLSAndToken(t *testing.T) {
	authority := certs.New(t)
	transport, err := credentials.NewServerTLSFromFile(authority.File("ca"), authority.Key("ca"))
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "token")
	write := func(s string) {
		if err := os.WriteFile(secret, []byte(s+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("open sesame")
	s := serve(t, &testServer{token: "open sesame"}, grpc.Creds(transport))
	endpoint := "-endpoint=grpcs://" + s.address
	c := start(t, endpoint, "-ca="+authority.File("ca"), "-token-file="+secret)
	segment(t, c, "")
	write("close sesame")
	if err := segment(t, c, cutout.BackendUnavailable); !strings.Contains(err.Error(), "does not accept the token") {
		t.Errorf("%v does not blame the token", err)
	}
	write("open sesame") // a renewed token counts at once
	segment(t, c, "")

	p, err := command(endpoint, "-token-file="+secret).Start(t.Context()) // without the authority
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if _, err := p.Client.Describe(t.Context()); cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(err.Error(), "with -ca") {
		t.Errorf("an unknown authority: got %v", err)
	}
}

func TestBadSettings(t *testing.T) {
	for name, test := range map[string]struct{ args, says string }{
		"no endpoint":      {"", "no -endpoint"},
		"no port":          {"-endpoint=grpc://host", "grpc://HOST:PORT"},
		"other scheme":     {"-endpoint=https://host:1", "grpc://HOST:PORT"},
		"token in clear":   {"-endpoint=grpc://host:1 -token-file=/x", "only over TLS"},
		"cert in clear":    {"-endpoint=grpc://host:1 -cert=/x -key=/y", "only over TLS"},
		"cert without key": {"-endpoint=grpcs://host:1 -cert=/x", "belong together"},
		"no cert":          {"-endpoint=grpcs://host:1 -cert=/no/such/file -key=/y", "no such file"},
		"no CA":            {"-endpoint=grpcs://host:1 -ca=/no/such/file", "no such file"},
		"CA of other kind": {"-endpoint=grpcs://host:1 -ca=main.go", "no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			c := command(strings.Fields(test.args)...)
			c.Stderr = &stderr
			if p, err := c.Start(t.Context()); err == nil {
				p.Kill()
				t.Fatal("it started")
			}
			if !strings.Contains(stderr.String(), test.says) {
				t.Errorf("it said %q, not %q", stderr.String(), test.says)
			}
		})
	}
}

// A certificate that was renewed is shown on the next connection.
func TestRenewedCertificate(t *testing.T) {
	authority := certs.New(t)
	authority.Issue(t, "site")
	pair, err := tls.LoadX509KeyPair(authority.File("ca"), authority.Key("ca"))
	if err != nil {
		t.Fatal(err)
	}
	shown := make(chan string, 8)
	transport := grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			shown <- string(raw[0])
			return nil
		},
	}))
	s := serve(t, &testServer{}, transport)
	c := start(t, "-endpoint=grpcs://"+s.address, "-ca="+authority.File("ca"), "-cert="+authority.File("site"), "-key="+authority.Key("site"))
	first := <-shown
	s.stop()
	authority.Issue(t, "site")
	serve(t, s, transport)
	for { // the connection is tried again after a moment
		if _, err := c.Describe(t.Context()); err == nil {
			break
		}
	}
	if <-shown == first {
		t.Error("the old certificate is shown")
	}
	segment(t, c, "")
}
