package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/ops/testing/ports"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/contracttest"
	"bgremover.pro/plugins/internal/plugintest"
)

// triton is NVIDIA Triton with models of a folder.
type triton struct {
	address string
	cmd     *exec.Cmd
}

// startTriton starts the server that ops/testing/install has installed, until the test
// ends or it is killed.
func startTriton(t testing.TB, models, name, address string, more ...string) *triton {
	t.Helper()
	packages, err := filepath.Abs("../../ops/testing/triton/packages")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(address)
	s := &triton{address: address, cmd: exec.Command(filepath.Join(packages, "pytriton/tritonserver/bin/tritonserver"),
		"--model-repository", models, "--model-control-mode=explicit", "--load-model="+name,
		"--backend-directory", filepath.Join(packages, "backends"),
		"--allow-http=false", "--allow-metrics=false", "--grpc-address", host, "--grpc-port", port)}
	s.cmd.Args = append(s.cmd.Args, more...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it starts others
	said, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr, s.cmd.Stdout = to, to
	err = s.cmd.Start()
	_ = to.Close()
	if err != nil {
		t.Fatalf("run `make test-tools`: %v", err)
	}
	serves, ended := make(chan bool), make(chan struct{})
	var log bytes.Buffer // read once the process has ended
	go func() {
		defer close(ended)
		defer close(serves)
		for lines := bufio.NewScanner(said); lines.Scan(); {
			log.WriteString(lines.Text() + "\n")
			if strings.Contains(lines.Text(), "Started GRPCInferenceService") {
				serves <- true
			}
		}
	}()
	t.Cleanup(func() {
		s.kill()
		<-ended
		_ = said.Close()
	})
	if !<-serves {
		t.Fatalf("Triton does not start:\n%s", log.String())
	}
	return s
}

// kill ends the server at once, wherever it is, as a machine's failure does.
func (s *triton) kill() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	_ = s.cmd.Wait()
}

// exportISNet writes the default model for Triton with the command that operators use.
func exportISNet(t testing.TB, size int) (models string, spec cutout.Model) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("Triton comes for x86-64 only")
	}
	models = filepath.Join(t.TempDir(), "models")
	out, err := exec.Command("../../bin/bgremover", "models", "export", "--for", "triton", models, "isnet").CombinedOutput()
	if err != nil {
		t.Fatalf("run `make setup`: %v\n%s", err, out)
	}
	spec = plugintest.ISNet(t)
	spec.Variants = []cutout.Variant{{Size: size}}
	return models, spec
}

// startLocal starts the backend for this machine's processor, with the graph that was
// exported.
func startLocal(t testing.TB, m cutout.Model) *contract.Client {
	t.Helper()
	size := m.Variants[0].Size
	folder := filepath.Join(filepath.Dir(plugintest.ISNet(t).Variants[0].File), "derived")
	graphs, _ := filepath.Glob(filepath.Join(folder, "isnet-*", fmt.Sprintf("*-%d.onnx", size)))
	if len(graphs) != 1 {
		t.Fatalf("%s has the graphs %q for %d pixels; want one: run `make setup`", folder, graphs, size)
	}
	m.Variants = []cutout.Variant{{Size: size, File: graphs[0]}}
	p, err := contracttest.Command{Path: "../../bin/plugins/onnx-cpu", TLS: true, Env: []string{contract.EnvRuntime + "=" + plugintest.Runtime(t)}}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	if _, err := p.Client.Load(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return p.Client
}

func run(t testing.TB, c *contract.Client, m cutout.Model, picture *cutout.Input) []uint8 {
	t.Helper()
	mask, _, err := c.Segment(t.Context(), m.Name, picture)
	if err != nil {
		t.Fatal(err)
	}
	return mask.Pix
}

// disc is a light disc before a dark background, which every model finds.
func disc(size int) *cutout.Input {
	in := &cutout.Input{Width: size, Height: size, Pix: bytes.Repeat([]byte{40}, 3*size*size)}
	for y := range size {
		for x := range size {
			if dx, dy := x-size/2, y-size/2; dx*dx+dy*dy < size*size/9 {
				copy(in.Pix[3*(y*size+x):], []byte{230, 190, 150})
			}
		}
	}
	return in
}

// A real server conforms, over TLS with certificates of both sides. Of two, one is killed in the middle of runs and started
// again, and then the other is killed: every picture gets the mask that this machine's
// processor makes of it.
func TestTriton(t *testing.T) {
	models, spec := exportISNet(t, 512)
	const name = "isnet-512"
	folder := certificates(t)
	encrypted := tritonTLS(t, folder)
	a, b := startTriton(t, models, name, ports.Free(t), encrypted...), startTriton(t, models, name, ports.Free(t), encrypted...)
	command := command("-model={model}-{size}", "-ca="+folder+"/ca.pem", "-cert="+folder+"/site.pem",
		"-key="+folder+"/site-key.pem", "-endpoint=grpcs://"+a.address, "-endpoint=grpcs://"+b.address)
	plugintest.Conform(t, command, spec)
	p, err := command.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if _, err := p.Client.Load(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	picture := disc(512)
	want := run(t, startLocal(t, spec), spec, picture)

	ctx, stop := context.WithCancel(t.Context())
	var answered atomic.Int32
	answers := make(chan struct{})
	visitors := &visitors{stop: stop}
	for range 3 { // so that both servers always have one
		visitors.Go(func() {
			for ctx.Err() == nil {
				mask, _, err := p.Client.Segment(t.Context(), spec.Name, picture)
				if err != nil {
					t.Errorf("picture %d: %v", answered.Load(), err)
					stop()
				} else if far := farthest(mask.Pix, want); far > 1 {
					t.Errorf("a mask is %d levels from the one made here", far)
				}
				answered.Add(1)
				select {
				case answers <- struct{}{}:
				case <-ctx.Done():
				}
			}
		})
	}
	defer visitors.Wait()
	defer stop()
	more := func(n int) {
		for range n {
			select {
			case <-answers:
			case <-ctx.Done():
			}
		}
	}
	more(6)
	a.kill()
	more(6)
	if d, err := p.Client.Describe(t.Context()); err != nil || !strings.Contains(d.Provider, "1 of 2 servers ready") {
		t.Errorf("one is killed: %+v, %v", d, err)
	}
	startTriton(t, models, name, a.address, encrypted...)
	for ctx.Err() == nil { // its connection is tried again after a moment
		if d, err := p.Client.Describe(t.Context()); err == nil && strings.Contains(d.Provider, "2 of 2 servers ready") {
			break
		}
	}
	b.kill()
	more(6)
	t.Logf("%d pictures", answered.Load())
}

// farthest is how far apart two masks are where they differ most.
func farthest(a, b []uint8) int {
	far := 0
	for i := range a {
		far = max(far, int(a[i])-int(b[i]), int(b[i])-int(a[i]))
	}
	return far
}

// How much longer a picture takes on a server on this machine than without one; the
// two alternate. BENCH_ENDPOINT names another server than Triton, with the same models.
func BenchmarkRemoteOverLocal(b *testing.B) {
	const size = 1024
	models, spec := exportISNet(b, size)
	endpoint := os.Getenv("BENCH_ENDPOINT")
	if endpoint == "" {
		endpoint = "grpc://" + startTriton(b, models, "isnet-1024", ports.Free(b)).address
	}
	p, err := command("-model={model}-{size}", "-endpoint="+endpoint).Start(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Kill)
	if _, err := p.Client.Load(b.Context(), spec); err != nil {
		b.Fatal(err)
	}
	local, picture := startLocal(b, spec), disc(size)
	if far := farthest(run(b, p.Client, spec, picture), run(b, local, spec, picture)); far > 1 {
		b.Errorf("the masks are %d levels apart", far)
	}
	took := func(c *contract.Client) float64 {
		start := time.Now()
		run(b, c, spec, picture)
		return time.Since(start).Seconds()
	}
	var ratios []float64
	for b.Loop() {
		ratios = append(ratios, took(p.Client)/took(local))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "remote/local")
}
