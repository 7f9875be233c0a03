package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bgremover.pro/core/cutout"
)

// fakebackend is the path of the program plugins/fakebackend.
var fakebackend string

func TestMain(m *testing.M) {
	if os.Getenv(asHost) != "" {
		actAsHost()
	}
	dir, err := os.MkdirTemp("", "backend-test-")
	if err != nil {
		panic(err)
	}
	fakebackend = filepath.Join(dir, "fakebackend")
	build := exec.Command("go", "build", "-o", fakebackend, "bgremover.pro/plugins/fakebackend")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build fakebackend: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

const asHost = "BACKEND_TEST_HOST"

type hostJob struct {
	Specs  []Spec
	Models []cutout.Model
	RunDir string
}

// actAsHost runs a Manager until it is killed; it prints the process id of its
// backend once that serves.
func actAsHost() {
	var job hostJob
	if err := json.Unmarshal([]byte(os.Getenv(asHost)), &job); err != nil {
		panic(err)
	}
	m, err := New(Options{Specs: job.Specs, Models: job.Models, RunDir: job.RunDir})
	if err != nil {
		panic(err)
	}
	if err := m.Start(context.Background()); err != nil {
		panic(err)
	}
	fmt.Println(m.Snapshot()[0].PID)
	select {}
}

// fake describes a backend run by fakebackend.
func fake(name string, args ...string) Spec {
	return Spec{Name: name, Command: fakebackend, Args: append([]string{"-name", name}, args...), Device: "cpu"}
}

// shows makes a fake backend show a fault at every occasion.
func shows(fault string, args ...string) []string { return append([]string{"-fault", fault}, args...) }

// showsOnce makes a fake backend show a fault once, at the first occasion
// after the returned function was called.
func showsOnce(t testing.TB, fault string, args ...string) (flags []string, arm func()) {
	file := filepath.Join(t.TempDir(), "once")
	arm = func() {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return append([]string{"-fault", fault, "-once", file}, args...), arm
}

// testModel returns a model of some sizes whose files exist.
func testModel(t testing.TB, name string, sizes ...int) cutout.Model {
	file := filepath.Join(t.TempDir(), name+".onnx")
	if err := os.WriteFile(file, []byte("weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := cutout.Model{Name: name, Input: "in", Output: "out", Scale: 255, Std: [3]float32{1, 1, 1}, Post: cutout.PostNone}
	for _, size := range sizes {
		m.Variants = append(m.Variants, cutout.Variant{Size: size, File: file})
	}
	return m
}

// picture returns an input that is white on its left half.
func picture(size int) *cutout.Input {
	in := &cutout.Input{Width: size, Height: size, Pix: make([]uint8, 3*size*size)}
	for i := range in.Pix {
		if i/3%size < size/2 {
			in.Pix[i] = 255
		}
	}
	return in
}

// patient are options under which faults are noticed within a test's time.
func patient(t testing.TB, specs ...Spec) Options {
	return Options{
		Specs: specs, Models: []cutout.Model{testModel(t, "first", 32, 64), testModel(t, "second", 32)},
		Log:    slog.New(slog.NewTextHandler(logs(), &slog.HandlerOptions{Level: slog.LevelDebug})),
		RunDir: t.TempDir(), StopTimeout: time.Second, RunTimeout: 20 * time.Second,
		HealthInterval: 50 * time.Millisecond, HealthTimeout: 5 * time.Second,
		Restart: Restart{Min: 10 * time.Millisecond, Max: 50 * time.Millisecond, Failures: 3, Open: 150 * time.Millisecond},
	}
}

func logs() io.Writer {
	if testing.Verbose() {
		return os.Stderr
	}
	return io.Discard
}

// newManager makes a Manager that leaves no process and no goroutine behind.
func newManager(t testing.TB, o Options) *Manager {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.Close()
		goleak.VerifyNone(t, ignore)
		if left, _ := os.ReadDir(o.RunDir); len(left) > 0 {
			t.Errorf("sockets were left: %v", left)
		}
	})
	return m
}

// started makes and starts a Manager.
func started(t testing.TB, o Options) *Manager {
	t.Helper()
	m := newManager(t, o)
	if err := m.Start(soon(t)); err != nil {
		t.Fatalf("start: %v", err)
	}
	return m
}

// soon is a context that ends before the test's time limit.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// awaitStatus waits until a backend's status is as wanted.
func awaitStatus(t testing.TB, m *Manager, name, what string, wanted func(Status) bool) Status {
	t.Helper()
	ctx := soon(t)
	for {
		changed := m.Changed()
		st := statusOf(m, name)
		if wanted(st) {
			return st
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%s is never %s: %+v", name, what, st)
		}
	}
}

func awaitState(t testing.TB, m *Manager, name string, state State) Status {
	t.Helper()
	return awaitStatus(t, m, name, string(state), func(s Status) bool { return s.State == state })
}

func statusOf(m *Manager, name string) Status {
	for _, s := range m.Snapshot() {
		if s.Name == name {
			return s
		}
	}
	return Status{}
}

// segment runs one picture on a lease of its own.
func segment(ctx context.Context, m *Manager, backend, model string, input *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	lease, err := m.Acquire(ctx, backend, model)
	if err != nil {
		return nil, cutout.Run{}, err
	}
	defer lease.Release()
	return lease.Segment(ctx, input)
}

// works checks that a request gets the right answer, and returns its run.
func works(t testing.TB, m *Manager, backend string) cutout.Run {
	t.Helper()
	mask, run, err := segment(soon(t), m, backend, "", picture(32))
	if err != nil {
		t.Fatalf("segment: %v", err)
	}
	if mask.Width != 32 || mask.Height != 32 || mask.Pix[0] != 255 || mask.Pix[31] != 0 {
		t.Fatalf("the mask is wrong: %dx%d, left %d, right %d", mask.Width, mask.Height, mask.Pix[0], mask.Pix[31])
	}
	return run
}
