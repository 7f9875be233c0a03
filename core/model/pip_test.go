package model

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"bgremover.pro/core/cutout"
)

// wheel packs files as a Python package.
func wheel(t *testing.T, name, version string, files map[string][]byte) []byte {
	t.Helper()
	files = maps.Clone(files)
	info := strings.ReplaceAll(name, "-", "_") + "-" + version + ".dist-info/"
	files[info+"METADATA"] = fmt.Appendf(nil, "Metadata-Version: 2.1\nName: %s\nVersion: %s\nRequires-Dist: no-such-package\n", name, version)
	files[info+"WHEEL"] = []byte("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: py3-none-manylinux_2_27_x86_64\n")
	files[info+"RECORD"] = nil
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		member, err := w.Create(name)
		if err == nil {
			_, err = member.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// gpu is a store whose catalogue has a small GPU build of the runtime and a part of
// CUDA, and an index of Python packages on this machine that the real pip client is
// pointed at.
type gpu struct {
	*Store
	wheels  map[string][]byte // by file name
	fetched map[string]*atomic.Int32
	library []byte
}

func newGPU(t *testing.T) *gpu {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the GPU build is for linux/amd64 only")
	}
	g := &gpu{Store: Open(t.TempDir()), library: random(40_000, 1), wheels: map[string][]byte{}, fetched: map[string]*atomic.Int32{}}
	blas := random(60_000, 2)
	core := wheel(t, "runtime-gpu", "1.2.3", map[string][]byte{"runtime/capi/lib.so.1.2.3": g.library})
	part := wheel(t, "vendor-blas", "9.8.7", map[string][]byte{"vendor/cu13/lib/libblas.so.13": blas, "vendor/cu13/include/x.h": nil})
	g.wheels["runtime_gpu-1.2.3-cp311-cp311-manylinux_2_28_x86_64.whl"] = core
	g.wheels["vendor_blas-9.8.7-py3-none-manylinux_2_27_x86_64.whl"] = part
	for name := range g.wheels {
		g.fetched[name] = &atomic.Int32{}
	}
	file := func(name, member string, content []byte) []RuntimeFile {
		return []RuntimeFile{{name, Content{Member: member, Bytes: int64(len(content)), SHA256: hexSHA256(content)}}}
	}
	older := Runtime{Name: "cuda12", Version: "1.0.0", Platform: "linux/amd64", Package: Package{PIP: "runtime-gpu==1.2.3", Sum: hexSHA256(core)},
		Files: file("lib.so", "runtime/capi/lib.so.1.2.3", g.library)}
	g.Catalogue = Catalogue{Runtimes: []Runtime{{Name: "cuda", Version: "1.2.3", Platform: "linux/amd64",
		Package: Package{PIP: "runtime-gpu==1.2.3", Sum: hexSHA256(core), Bytes: int64(len(core))},
		Files:   file("lib.so", "runtime/capi/lib.so.1.2.3", g.library),
		Parts: []Part{{Package{PIP: "vendor-blas==9.8.7", Sum: hexSHA256(part), Bytes: int64(len(part))},
			file("libblas.so.13", "vendor/cu13/lib/libblas.so.13", blas)}},
	}, older}}
	server := httptest.NewServer(http.HandlerFunc(g.serve))
	t.Cleanup(server.Close)
	t.Setenv("PIP_INDEX_URL", server.URL+"/simple/")
	t.Setenv("PIP_CONFIG_FILE", os.DevNull)
	t.Setenv("PIP_NO_CACHE_DIR", "1")
	t.Setenv("PIP_RETRIES", "0")
	return g
}

// serve answers as an index of Python packages does.
func (g *gpu) serve(w http.ResponseWriter, r *http.Request) {
	name := filepath.Base(r.URL.Path)
	if content, ok := g.wheels[name]; ok {
		g.fetched[name].Add(1)
		_, _ = w.Write(content)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	for file := range g.wheels {
		if strings.HasPrefix(file, strings.ReplaceAll(name, "-", "_")+"-") {
			fmt.Fprintf(w, `<a href="/files/%s">%s</a>`, file, file)
		}
	}
}

func (g *gpu) mustBeWhole(t *testing.T) {
	t.Helper()
	path, err := g.CUDARuntime()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, g.library) {
		t.Errorf("the library is not as published (%v)", err)
	}
	g.mustHold(t, "installed.json", "runtime/onnxruntime-1.2.3-cuda/lib.so", "runtime/onnxruntime-1.2.3-cuda/libblas.so.13")
}

func TestPullGPU(t *testing.T) {
	g := newGPU(t)
	var events []Event
	if err := g.Pull(t.Context(), Wanted{Runtime: "cuda"}, func(e Event) { events = append(events, e) }); err != nil {
		t.Fatal(err)
	}
	g.mustBeWhole(t)
	if e := events[0]; e.State != Planned || e.Done < 100_000 || e.Total < 160_000 {
		t.Errorf("what it takes is said first: %+v", e)
	}
	packages, err := g.GPULibraries()
	if err != nil || len(packages) != 3 || packages[1].Package != "vendor-blas 9.8.7" || packages[1].Found["libblas.so.13"] == "" {
		t.Errorf("%+v, %v", packages, err)
	}
	// A part that is lost is fetched again, and only that.
	if err := os.Remove(packages[1].Found["libblas.so.13"]); err != nil {
		t.Fatal(err)
	}
	if packages, _ = g.GPULibraries(); !slices.Equal(packages[1].Missing, []string{"libblas.so.13"}) {
		t.Errorf("a lost library: %+v", packages[1])
	}
	if err := g.Pull(t.Context(), Wanted{Runtime: "cuda"}, nil); err != nil {
		t.Fatal(err)
	}
	g.mustBeWhole(t)
	for name, fetched := range g.fetched {
		if want := map[bool]int32{true: 2, false: 1}[strings.HasPrefix(name, "vendor")]; fetched.Load() != want {
			t.Errorf("%s was fetched %d times", name, fetched.Load())
		}
	}
	// The build for older drivers replaces it.
	if err := g.Pull(t.Context(), Wanted{Runtime: "cuda12"}, nil); err != nil {
		t.Fatal(err)
	}
	if path, err := g.CUDARuntime(); err != nil || !strings.Contains(path, "1.0.0-cuda12") {
		t.Errorf("%s, %v", path, err)
	}
	g.mustHold(t, "installed.json", "runtime/onnxruntime-1.0.0-cuda12/lib.so")
}

func TestPullGPUFailures(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, g *gpu)
		says  string
	}{
		"no pip": {func(t *testing.T, _ *gpu) { t.Setenv("PATH", t.TempDir()) }, "The pip client is missing"},
		"no network": {func(t *testing.T, _ *gpu) {
			t.Setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple/")
			t.Setenv("PIP_RETRIES", "1")
		}, "pip cannot reach its index"},
		"no such version": {func(_ *testing.T, g *gpu) {
			g.Catalogue.Runtimes[0].PIP = "runtime-gpu==9.9.9"
		}, "pip's index does not have runtime-gpu==9.9.9"},
		"other wheel": {func(_ *testing.T, g *gpu) {
			g.Catalogue.Runtimes[0].Sum = strings.Repeat("0", 64)
		}, "is not the published one"},
		"other file": {func(_ *testing.T, g *gpu) {
			g.Catalogue.Runtimes[0].Files[0].SHA256 = strings.Repeat("0", 64)
		}, "lib.so is not the file it should be"},
		"no room": {func(_ *testing.T, g *gpu) {
			g.Catalogue.Runtimes[0].Files[0].Bytes = 1 << 60
		}, "GB are needed"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGPU(t)
			c.spoil(t, g)
			err := g.Pull(t.Context(), Wanted{Runtime: "cuda"}, nil)
			if err == nil || !strings.Contains(cutout.MessageOf(err), c.says) || strings.Contains(cutout.MessageOf(err), "\n") {
				t.Fatalf("it says %q, not %q", cutout.MessageOf(err), c.says)
			}
			g.mustHold(t)
			if _, err := g.CUDARuntime(); cutout.CodeOf(err) != cutout.BackendUnavailable {
				t.Errorf("a runtime that is not there gives %v", err)
			}
		})
	}
}

// Wheels, and plain libraries, that were copied by hand.
func TestPullGPUFromFolder(t *testing.T) {
	g := newGPU(t)
	t.Setenv("PATH", "")
	from := t.TempDir()
	for name, content := range g.wheels {
		if strings.HasPrefix(name, "vendor") {
			if err := os.WriteFile(filepath.Join(from, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	err := g.Pull(t.Context(), Wanted{Runtime: "cuda", From: from}, nil)
	if err == nil || !strings.Contains(err.Error(), "holds neither lib.so nor runtime_gpu-1.2.3.whl") {
		t.Errorf("without the runtime: %v", err)
	}
	if err := os.WriteFile(filepath.Join(from, "lib.so"), g.library, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.Pull(t.Context(), Wanted{Runtime: "cuda", From: from}, nil); err != nil {
		t.Fatal(err)
	}
	g.mustBeWhole(t)
}
