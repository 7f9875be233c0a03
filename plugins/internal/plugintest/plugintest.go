// Package plugintest helps the tests of backends: it builds the program under
// test, and finds what `make setup` installed. A test that needs the runtime
// or the model fails without them.
package plugintest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contracttest"
)

// Main is the whole TestMain of a backend: it builds the main package in the
// working folder, sets binary to its path, runs the tests, and fails if
// they leave goroutines behind.
func Main(m *testing.M, binary *string) {
	os.Exit(run(m, binary))
}

func run(m *testing.M, binary *string) int {
	folder, err := os.MkdirTemp("", "backend")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	*binary = filepath.Join(folder, "backend")
	out, err := exec.Command("go", "build", "-o", *binary, ".").CombinedOutput() //nolint:gosec // our own folder
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Conform runs the conformance suite as a test.
func Conform(t *testing.T, command contracttest.Command, model cutout.Model) {
	t.Helper()
	contracttest.Run(t.Context(), command, model, func(r contracttest.Result) {
		t.Logf("%-60s %v", r.Name, r.Took)
		if r.Err != nil {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	})
}

// Runtime returns the path of the ONNX Runtime library.
func Runtime(t testing.TB) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(folder(t), "runtime", "onnxruntime-*", "libonnxruntime.so.1"))
	if len(found) == 0 {
		t.Fatalf("no ONNX Runtime in %s: run `make setup`", folder(t))
	}
	return found[len(found)-1]
}

// ISNet returns the default model as it was published.
func ISNet(t testing.TB) cutout.Model {
	t.Helper()
	file := filepath.Join(folder(t), "models", "isnet.onnx")
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("the default model is missing (%v): run `make setup`", err)
	}
	return cutout.Model{
		Name: "isnet", Input: "input", Output: "output", Post: cutout.PostNone,
		Scale: 256, Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{1, 1, 1},
		Variants: []cutout.Variant{{Size: 1024, File: file, Precision: "fp16",
			SHA256: "b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb"}},
	}
}

func folder(t testing.TB) string {
	t.Helper()
	if data := os.Getenv("BGREMOVER_DATA_DIR"); data != "" {
		return data
	}
	if share := os.Getenv("XDG_DATA_HOME"); share != "" {
		return filepath.Join(share, "bgremover")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(home, ".local", "share", "bgremover")
}
