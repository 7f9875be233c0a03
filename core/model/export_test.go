package model

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
)

// export writes the tiny model for a server, and lists the files.
func (s *Store) export(t *testing.T, to Export) ([]Exported, []string) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	graphs, err := s.Export(t.Context(), "tiny", path, to)
	if err != nil {
		t.Fatal(err)
	}
	return graphs, files(t, to.Dir)
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	for _, depth := range []string{"*", "*/*", "*/*/*"} {
		found, err := filepath.Glob(filepath.Join(dir, depth))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
				name, _ := filepath.Rel(dir, file)
				names = append(names, name)
			}
		}
	}
	hidden, _ := filepath.Glob(filepath.Join(dir, ".*"))
	return append(names, hidden...)
}

// Each server gets the layout that it reads, with what fits the graphs: before the
// model is derived its own size, afterwards those that were derived. A second export
// replaces the first.
func TestExport(t *testing.T) {
	s := tinyStore(t)
	wants := map[string]struct{ files, after []string }{
		"triton": {[]string{"tiny-1024/1/model.onnx", "tiny-1024/config.pbtxt"},
			[]string{"tiny-512/config.pbtxt", "tiny-512/1/model.onnx"}},
		"kserve": {[]string{"serve.py", "tiny-1024.onnx"}, []string{"tiny-512.onnx"}},
		"mlserver": {[]string{"settings.json", "tiny-1024/model-settings.json", "tiny-1024/model.onnx", "tiny-1024/onnx_runtime.py"},
			[]string{"tiny-512/model-settings.json"}},
	}
	folder := t.TempDir()
	for server, want := range wants {
		graphs, got := s.export(t, Export{Server: server, Dir: filepath.Join(folder, server)})
		slices.Sort(got)
		if !slices.Equal(got, want.files) {
			t.Errorf("%s: got the files %q", server, got)
		}
		if len(graphs) != 1 || graphs[0].Name != "tiny-1024" {
			t.Errorf("%s: got %+v", server, graphs)
		}
	}
	if _, err := s.deriveTiny(t); err != nil {
		t.Fatal(err)
	}
	for server, want := range wants {
		graphs, got := s.export(t, Export{Server: server, Dir: filepath.Join(folder, server)})
		for _, file := range append(want.files, want.after...) {
			if !slices.Contains(got, file) {
				t.Errorf("%s: after deriving %s is not among %q", server, file, got)
			}
		}
		for _, g := range graphs {
			if _, err := os.Stat(g.File); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestTritonConfiguration(t *testing.T) {
	wants := layouts["triton"]
	dir := t.TempDir()
	for _, batch := range []bool{true, false} {
		e := Exported{Model: "m", Name: "m-512"}
		e.Size, e.Input, e.Output, e.OutputType, e.OutputShape, e.Batch = 512, "in", "out", "FP16", []int64{2, 512, 512}, batch
		if err := wants.write(wants.each, dir, e); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "m-512", "config.pbtxt"))
		if err != nil {
			t.Fatal(err)
		}
		says := []string{`name: "m-512"`, `name: "in" data_type: TYPE_UINT8 dims: [ 1, 3, 512, 512 ]`, `name: "out" data_type: TYPE_FP16 dims: [ 1, 2, 512, 512 ]`, "max_batch_size: 0"}
		if batch {
			says = []string{`TYPE_UINT8 dims: [ 3, 512, 512 ]`, `TYPE_FP16 dims: [ 2, 512, 512 ]`, "max_batch_size: 8", "dynamic_batching"}
		}
		for _, say := range says {
			if !strings.Contains(string(text), say) {
				t.Errorf("batch %v: it lacks %q:\n%s", batch, say, text)
			}
		}
	}
}

// MLServer's settings are those that ops/inference.md and open-inference rely on.
func TestMLServerSettings(t *testing.T) {
	wants, dir := layouts["mlserver"], t.TempDir()
	if err := errors.Join(wants.write(wants.once, dir, Exported{}), wants.write(wants.each, dir, Exported{Name: "m-512"})); err != nil {
		t.Fatal(err)
	}
	read := func(file string) (settings map[string]any) {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err == nil {
			err = json.Unmarshal(content, &settings)
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		return settings
	}
	page, err := os.ReadFile("../../ops/inference.md")
	if err != nil {
		t.Fatal(err)
	}
	all := read("settings.json")
	if all["host"] != "127.0.0.1" || all["grpc_port"] != 8001.0 || !strings.Contains(string(page), "127.0.0.1 only with gRPC on port 8001") {
		t.Errorf("the page and the settings say different addresses: %v", all)
	}
	if all["grpc_max_message_length"] != float64(80<<20) || !strings.Contains(string(page), "80 MiB") {
		t.Errorf("the page and the settings say different limits: %v", all)
	}
	if m := read("m-512/model-settings.json"); m["name"] != "m-512" || m["implementation"] != "onnx_runtime.ONNX" {
		t.Errorf("the model's settings are %v", m)
	}
}

// What is written in Python is Python, of the version that the servers ask for.
func TestServingPrograms(t *testing.T) {
	for _, file := range []string{"serving/kserve/serve.py", "serving/mlserver/onnx_runtime.py"} {
		out, err := exec.Command("python3", "-c", "import ast, sys; ast.parse(open(sys.argv[1]).read(), feature_version=(3, 9))", file).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}

func TestExportRefuses(t *testing.T) {
	s := tinyStore(t)
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, c := range map[string]struct {
		model, server, program string
		code                   cutout.Code
		says                   string
	}{
		"another server": {"tiny", "torchserve", path, cutout.Invalid, "kserve, mlserver, triton"},
		"another model":  {"none", "triton", path, cutout.Invalid, "tiny"},
		"no program":     {"tiny", "triton", filepath.Join(dir, "none"), cutout.BackendUnavailable, "run `make build`"},
	} {
		if _, err := s.Export(t.Context(), c.model, c.program, Export{Server: c.server, Dir: dir}); cutout.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Export(ctx, "tiny", path, Export{Server: "triton", Dir: dir}); cutout.CodeOf(err) != cutout.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	if left := files(t, dir); len(left) > 0 {
		t.Errorf("it left %q", left)
	}
}
