package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/contracttest"
	"bgremover.pro/plugins/internal/plugintest"
)

var binary string

func TestMain(m *testing.M) { plugintest.Main(m, &binary) }

// On a machine without a GPU the backend starts, and says by name what is
// missing: the real runtime and the real dynamic linker find these out.
func TestSaysWhatIsMissing(t *testing.T) {
	// Libraries that load, each with the one function that the runtime calls.
	const shared = "void Provider_SetHost(void *host) {}"
	const provider = "void *GetProvider(void) { return 0; }"
	tests := map[string]struct {
		build func(t *testing.T, folder string) // files beside the runtime
		says  []string
	}{
		"the runtime of make setup": {
			func(*testing.T, string) {},
			[]string{"libonnxruntime_providers_shared.so is missing", "make setup CUDA=1"},
		},
		"half of the GPU build": {
			func(t *testing.T, folder string) { compile(t, folder, "libonnxruntime_providers_shared.so", shared) },
			[]string{"libonnxruntime_providers_cuda.so is missing", "make setup CUDA=1"},
		},
		"no cuDNN": {
			func(t *testing.T, folder string) {
				compile(t, folder, "libonnxruntime_providers_shared.so", shared)
				compileNeeding(t, folder, "libonnxruntime_providers_cuda.so", provider, "libcudnn.so.9")
			},
			[]string{"libcudnn.so.9, a part of cuDNN, is missing", "installs cuDNN", "LD_LIBRARY_PATH"},
		},
		"no CUDA": {
			func(t *testing.T, folder string) {
				compile(t, folder, "libonnxruntime_providers_shared.so", shared)
				compileNeeding(t, folder, "libonnxruntime_providers_cuda.so", provider, "libcublasLt.so.13")
			},
			[]string{"libcublasLt.so.13, a part of CUDA, is missing", "make setup CUDA=1"},
		},
		"no driver": {
			func(t *testing.T, folder string) {
				compile(t, folder, "libonnxruntime_providers_shared.so", shared)
				compileNeeding(t, folder, "libonnxruntime_providers_cuda.so", provider, "libcuda.so.1")
			},
			[]string{"libcuda.so.1, the NVIDIA driver, is missing", "--gpus all"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			library := filepath.Join(folder, "libonnxruntime.so.1")
			if err := os.Symlink(plugintest.Runtime(t), library); err != nil {
				t.Fatal(err)
			}
			test.build(t, folder)
			p, err := contracttest.Command{Path: binary, TLS: true, Env: []string{contract.EnvRuntime + "=" + library}}.Start(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer p.Kill()
			if err := p.Client.Health(t.Context()); err != nil {
				t.Errorf("Health: %v", err)
			}
			_, err = p.Client.Describe(t.Context())
			for _, says := range test.says {
				if cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(err.Error(), says) {
					t.Errorf("Describe: %v; want it unavailable, saying %q", err, says)
				}
			}
			if _, err := p.Client.Load(t.Context(), plugintest.ISNet(t)); cutout.CodeOf(err) != cutout.BackendUnavailable {
				t.Errorf("Load: %v; nothing may fall back to the processor", err)
			}
		})
	}
}

// compile makes a shared library in a folder.
func compile(t *testing.T, folder, name, source string, flags ...string) {
	t.Helper()
	args := append([]string{"-shared", "-fPIC", "-x", "c", "-", "-o", filepath.Join(folder, name), "-Wl,-soname," + name}, flags...)
	cc := exec.Command("cc", args...)
	cc.Stdin = strings.NewReader(source)
	if out, err := cc.CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
}

// compileNeeding makes a shared library that needs another, which then is not
// there.
func compileNeeding(t *testing.T, folder, name, source, needs string) {
	t.Helper()
	elsewhere := t.TempDir()
	compile(t, elsewhere, needs, "int part_of_it;")
	compile(t, folder, name, source, "-x", "none", "-Wl,--no-as-needed", filepath.Join(elsewhere, needs))
}
