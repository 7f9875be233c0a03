package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/contracttest"
	"bgremover.pro/plugins/internal/plugintest"
)

var binary string

func TestMain(m *testing.M) { plugintest.Main(m, &binary) }

func command(t *testing.T, env ...string) contracttest.Command {
	return contracttest.Command{
		Path: binary, TLS: true,
		Env: append([]string{contract.EnvRuntime + "=" + plugintest.Runtime(t)}, env...),
	}
}

func start(t *testing.T, c contracttest.Command) *contract.Client {
	t.Helper()
	p, err := c.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p.Client
}

func TestConformance(t *testing.T) {
	plugintest.Conform(t, command(t), plugintest.ISNet(t))
}

func TestDescription(t *testing.T) {
	d, err := start(t, command(t)).Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "onnx-cpu" || d.Device != "cpu" || d.Provider != "CPUExecutionProvider" ||
		!strings.HasPrefix(d.Runtime, "ONNX Runtime 1.") || d.Memory == 0 {
		t.Errorf("got %+v", d)
	}
}

// A missing or wrong runtime is reported as a sentence when the host
// first asks; the process stays to tell it.
func TestRuntimeMissingOrWrong(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	compile := func(name, source string) string {
		library := filepath.Join(folder, name+".so")
		out, err := exec.Command("cc", "-shared", "-fPIC", "-o", library, write(name+".c", source)).CombinedOutput()
		if err != nil {
			t.Fatalf("cc: %v\n%s", err, out)
		}
		return library
	}
	tests := map[string]struct{ library, says string }{
		"not set":  {"", "BGREMOVER_ONNXRUNTIME is not set"},
		"relative": {"libonnxruntime.so.1", "absolute path"},
		"missing":  {filepath.Join(folder, "no.so"), "no such file or directory): run `make setup`"},
		"no code":  {write("text.so", "not a library"), "cannot be loaded"},
		"another":  {compile("another", "int x;"), "is not an ONNX Runtime library"},
		"older": {compile("older", `
			static const void *get(unsigned version) { return version > 23 ? 0 : (void *)&get; }
			static const char *version(void) { return "1.23.0"; }
			static struct { const void *(*get)(unsigned); const char *(*version)(void); } base = {get, version};
			void *OrtGetApiBase(void) { return &base; }`), "older than this backend needs (1.24)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client := start(t, command(t, contract.EnvRuntime+"="+test.library))
			_, err := client.Describe(t.Context())
			if cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Describe: %v; want it unavailable, saying %q", err, test.says)
			}
			if _, err := client.Load(t.Context(), plugintest.ISNet(t)); cutout.CodeOf(err) != cutout.BackendUnavailable {
				t.Errorf("Load: %v", err)
			}
			if err := client.Health(t.Context()); err != nil {
				t.Errorf("Health: %v", err)
			}
		})
	}
}

func TestBadSettings(t *testing.T) {
	for _, setting := range []string{
		contract.EnvThreads + "=many", contract.EnvThreads + "=0", contract.EnvConcurrency + "=-1",
		contract.EnvDevice + "=cuda:x", contract.EnvDeviceMemory + "=lots",
	} {
		name, _, _ := strings.Cut(setting, "=")
		_, err := start(t, command(t, setting)).Describe(t.Context())
		if cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", setting, err)
		}
	}
}

// Killed in the middle of a run, the process leaves a clear error, and the
// call ends at once.
func TestKilledInARun(t *testing.T) {
	var stderr bytes.Buffer
	c := command(t)
	c.Stderr = &stderr
	p, err := c.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	model := plugintest.ISNet(t)
	if _, err := p.Client.Load(t.Context(), model); err != nil {
		t.Fatal(err)
	}
	killer := time.AfterFunc(20*time.Millisecond, p.Kill) // a run takes far longer
	defer killer.Stop()
	_, _, err = p.Client.Segment(context.Background(), model.Name, &cutout.Input{Width: 1024, Height: 1024, Pix: make([]uint8, 3<<20)})
	if cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Errorf("got %v", err)
	}
	<-p.Client.Done()
}

// What is not a number is an error, never a pixel, and the process goes on.
func TestNotANumber(t *testing.T) {
	client := start(t, command(t))
	broken, good := network(t, "Sqrt", 64), network(t, "Sigmoid", 64)
	broken.Name = "broken"
	for _, m := range []cutout.Model{broken, good} {
		if _, err := client.Load(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	mask, _, err := client.Segment(t.Context(), "broken", noise(64))
	if cutout.CodeOf(err) != cutout.Internal || !strings.Contains(err.Error(), "not numbers") {
		t.Errorf("the root of what is below zero: %v, %v", mask, err)
	}
	if _, _, err := client.Segment(t.Context(), "own", noise(64)); err != nil {
		t.Error("afterwards:", err)
	}
}
