package app

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"bgremover.pro/core/backend"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/model"
)

// fakebackend builds the backend that needs no model, once.
var fakebackend = sync.OnceValues(func() (string, error) {
	dir, err := plugins()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "fakebackend")
	out, err := exec.Command("go", "build", "-o", path, "bgremover.pro/plugins/fakebackend").CombinedOutput()
	if err != nil {
		return "", &buildError{out}
	}
	return path, nil
})

// What the operator writes is what the backends get.
func TestConfiguredBackends(t *testing.T) {
	c, err := config.Load(config.Sources{Environ: environ(t, settingsFile(t, `
[backends.onnx-cpu]
models = ["isnet", "mine"]
memory = "1GiB"
max_memory = "2GiB"
[backends.mine]
command = "/bin/mine"
args = ["-v"]
env = ["HOME"]
device = "npu"
models = ["mine"]
concurrency = 2
start_timeout = "5s"
tls = false
[backends.onnx-cuda]
device = "cuda:1"
[backends.gpu]
command = "/bin/gpu"
`))})
	if err != nil {
		t.Fatal(err)
	}
	specs, err := backendSpecs(c, model.Open(c.Folders.Data))
	if err != nil || len(specs) < 2 {
		t.Fatalf("%+v, %v", specs, err)
	}
	byName := map[string]backend.Spec{}
	for _, s := range specs {
		byName[s.Name] = s
	}
	if gpu := byName["onnx-cuda"]; gpu.Concurrency != 4 || gpu.Device != "cuda:1" || byName["gpu"].Concurrency != 0 {
		t.Errorf("onnx-cuda: %+v, gpu: %+v", gpu, byName["gpu"])
	}
	ours, mine := byName["onnx-cpu"], byName["mine"]
	if ours.Command != filepath.Join(c.Folders.Plugins, "onnx-cpu") || len(ours.Env) == 0 || ours.NoTLS ||
		!reflect.DeepEqual(ours.Models, []string{"isnet", "mine"}) || ours.Memory != 1<<30 || ours.MaxMemory != 2<<30 {
		t.Errorf("onnx-cpu: %+v", ours)
	}
	want := backend.Spec{Name: "mine", Command: "/bin/mine", Args: []string{"-v"}, Env: []string{"HOME"}, Device: "npu",
		Models: []string{"mine"}, Concurrency: 2, StartTimeout: 5 * time.Second, NoTLS: true}
	if !reflect.DeepEqual(mine, want) {
		t.Errorf("mine: %+v\nwant: %+v", mine, want)
	}
}

// Two backends that do not fit into memory together, as configured, are never
// running together; photos wait meanwhile and are then processed.
func TestConfiguredHandOver(t *testing.T) {
	program, err := fakebackend()
	if err != nil {
		t.Fatal(err)
	}
	settings := "backend = \"one\"\n"
	for _, name := range []string{"one", "two"} {
		settings += fmt.Sprintf("[backends.%s]\ncommand = %q\nargs = [\"-name\", %q]\nmemory = \"1024GiB\"\n", name, program, name)
	}
	engine := newEngine(t, settingsFile(t, settings))
	ctx, stop := context.WithCancel(t.Context())
	var visitors, watcher sync.WaitGroup
	visitors.Go(func() {
		for ctx.Err() == nil {
			if _, err := engine.Pipeline.Remove(context.WithoutCancel(ctx), cutout.Job{Upload: photo(t, "flat.png")}); err != nil {
				t.Error("a photo was lost:", err)
				return
			}
		}
	})
	watcher.Go(func() {
		for ctx.Err() == nil {
			changed, together := engine.Backends.Changed(), 0
			for _, b := range engine.Backends.Snapshot() {
				if b.State != backend.Off {
					together++
				}
			}
			if together > 1 {
				t.Errorf("both are running: %+v", engine.Backends.Snapshot())
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	})
	for _, name := range []string{"two", "one"} {
		if err := engine.Backends.Switch(t.Context(), name); err != nil {
			t.Errorf("to %s: %v", name, err)
		}
		result, err := engine.Pipeline.Remove(t.Context(), cutout.Job{Upload: photo(t, "flat.png")})
		if err != nil || result.Run.Backend != name {
			t.Errorf("after the switch to %s: %+v, %v", name, result, err)
		}
	}
	stop()
	visitors.Wait()
	watcher.Wait()
}

// A table of a bundled backend need not name its command, whether or not its runtime
// is installed.
func TestBundledBackendsNeedNoCommand(t *testing.T) {
	c, err := config.Load(config.Sources{Environ: environ(t, settingsFile(t, `
[backends.onnx-cpu]
env = ["BGREMOVER_THREADS=1"]
[backends.onnx-cuda]
env = ["BGREMOVER_DEVICE_MEMORY=4GiB"]
`))})
	if err != nil {
		t.Fatal(err)
	}
	specs, err := backendSpecs(c, model.Open(t.TempDir())) // an empty data folder
	if err != nil || len(specs) != 2 {
		t.Fatalf("%+v, %v", specs, err)
	}
	for _, spec := range specs {
		if err := spec.Validate(); err != nil || spec.Command != filepath.Join(c.Folders.Plugins, spec.Name) {
			t.Errorf("%+v, %v", spec, err)
		}
	}
}

// CUDA's libraries are found beside the GPU build of the runtime, before any others.
func TestGPULibraryPath(t *testing.T) {
	t.Setenv("LD_LIBRARY_PATH", "/opt/cuda")
	if got := GPULibraryPath("/data/runtime/gpu/lib.so"); got != "LD_LIBRARY_PATH=/data/runtime/gpu:/opt/cuda" {
		t.Error(got)
	}
	t.Setenv("LD_LIBRARY_PATH", "")
	env := backend.Spec{Env: []string{GPULibraryPath("/data/runtime/gpu/lib.so")}}.Environment([]string{"LD_LIBRARY_PATH="})
	if got := (&exec.Cmd{Env: env}).Environ(); !slices.Contains(got, "LD_LIBRARY_PATH=/data/runtime/gpu") {
		t.Error(got)
	}
}
