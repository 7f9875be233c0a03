package model

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"bgremover.pro/core/cutout"
)

// program builds onnx-derive once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "derive-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "onnx-derive")
	out, err := exec.Command("go", "build", "-o", path, "bgremover.pro/plugins/onnxderive").CombinedOutput()
	if err != nil {
		err = errors.New(string(out))
	}
	return path, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// installedStore is the data folder that `make setup` fills.
func installedStore(t *testing.T) *Store {
	t.Helper()
	dir := os.Getenv("BGREMOVER_DATA_DIR")
	if dir == "" {
		base := os.Getenv("XDG_DATA_HOME")
		if base == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				t.Fatal(err)
			}
			base = filepath.Join(home, ".local", "share")
		}
		dir = filepath.Join(base, "bgremover")
	}
	return Open(dir)
}

// tinyStore has the real runtime and, as a person's own model, a network of a
// few hundred weights that is built like the real ones.
func tinyStore(t *testing.T) *Store {
	t.Helper()
	library, err := installedStore(t).Runtime()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := program(); err != nil {
		t.Fatal(err)
	}
	s := Open(t.TempDir())
	folder := filepath.Join(s.dir, "runtime")
	if err := errors.Join(os.MkdirAll(folder, 0o755), os.Symlink(filepath.Dir(library), filepath.Join(folder, filepath.Base(filepath.Dir(library))))); err != nil {
		t.Fatal(err)
	}
	tiny, err := os.ReadFile("testdata/tiny.onnx")
	if err != nil {
		t.Fatal(err)
	}
	s.describe(t, tiny, "size = 1024\noutput = \"output\"\n"+tinyScale)
	return s
}

const tinyScale = "scale = 1\nmean = [128, 128, 128]\nstd = [256, 256, 256]\n"

func (s *Store) describe(t *testing.T, file []byte, description string) {
	t.Helper()
	models := filepath.Join(s.dir, "models")
	if err := errors.Join(writeFile(filepath.Join(models, "tiny.onnx"), file),
		writeFile(filepath.Join(models, "tiny.toml"), []byte(description))); err != nil {
		t.Fatal(err)
	}
}

func (s *Store) deriveTiny(t *testing.T) (Derived, error) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return s.Derive(t.Context(), "tiny", path)
}

func (s *Store) calibrateTiny(t *testing.T) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	pictures, err := checkPictures([]int{1024})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Calibrate(t.Context(), "tiny", path, pictures); err != nil {
		t.Fatal(err)
	}
}

func TestDerive(t *testing.T) {
	s := tinyStore(t)
	s.calibrateTiny(t)
	if _, err := s.Derived("tiny"); err == nil {
		t.Error("something is derived before it was")
	}
	derived, err := s.deriveTiny(t)
	if err != nil {
		t.Fatal(err)
	}
	var tried []string
	for _, trial := range derived.Trials {
		if trial.Rejected != "" {
			t.Errorf("%d %s: %s", trial.Size, trial.Precision, trial.Rejected)
		}
		tried = append(tried, trial.Precision)
	}
	if len(tried) != 7 || derived.Reason != "" {
		t.Errorf("tried were %v, %s", tried, derived.Reason)
	}
	m, err := s.Installed("tiny")
	if err != nil {
		t.Fatal(err)
	}
	if sizes := m.Sizes(); !slices.Equal(sizes, []int{512, 768, 1024}) || filepath.Base(m.Variants[len(m.Variants)-1].File) != "tiny.onnx" {
		t.Errorf("the variants are %v", m.Variants)
	}
	original, err := s.Original("tiny")
	if err != nil || len(original.Variants) != 1 || original.Variants[0].Size != 1024 {
		t.Errorf("the model as published is %v (%v)", original, err)
	}
	again, err := s.Derive(t.Context(), "tiny", "/nonexistent") // nothing is left to do
	if err != nil || len(again.Graphs) != 3 {
		t.Errorf("deriving again gives %v (%v)", again, err)
	}

	damage(t, m.Variants[0].File)
	var log bytes.Buffer
	fresh := Open(s.dir)
	fresh.Log = slog.New(slog.NewTextHandler(&log, nil))
	m, err = fresh.Installed("tiny")
	if err != nil || len(m.Variants) != 1 || m.Variants[0].File != original.Variants[0].File {
		t.Errorf("with a damaged graph the model is %v (%v)", m, err)
	}
	if !strings.Contains(log.String(), "faster graphs cannot be used") {
		t.Errorf("the log says %q", log.String())
	}
}

func damage(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2]++
	if err := os.WriteFile(path, append(content, 0), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Without ranges there are no integer graphs; ranges that do not fit do not
// keep the other graphs from being used.
func TestDeriveWithoutFittingRanges(t *testing.T) {
	for name, change := range map[string]func(text string) string{
		"none":             func(string) string { return "" },
		"of another file":  func(text string) string { return strings.Replace(text, `"sha256": "`, `"sha256": "00`, 1) },
		"of other tensors": func(text string) string { return strings.ReplaceAll(text, `"r2"`, `"r9"`) },
		"not JSON":         func(text string) string { return text[:len(text)/2] },
	} {
		t.Run(name, func(t *testing.T) {
			s := tinyStore(t)
			s.calibrateTiny(t)
			file := filepath.Join(s.dir, "models", "tiny.ranges.json")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if changed := change(string(text)); changed == "" {
				err = os.Remove(file)
			} else {
				err = os.WriteFile(file, []byte(changed), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			derived, err := s.deriveTiny(t)
			if err != nil || len(derived.Graphs) != 3 {
				t.Fatalf("derived is %v (%v)", derived, err)
			}
			rejected := 0
			for _, trial := range derived.Trials {
				if trial.Precision == "int8" && trial.Rejected == "" {
					t.Errorf("an integer graph was made: %v", trial)
				}
				if trial.Rejected != "" {
					rejected++
				}
			}
			if (rejected == 0) != (name == "none") {
				t.Errorf("the trials are %v", derived.Trials)
			}
		})
	}
}

// A model that cannot be made faster serves as installed, and the reason is kept.
func TestDeriveLeavesAlone(t *testing.T) {
	tiny, err := os.ReadFile("testdata/tiny.onnx")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file        []byte
		description string
		says        string
	}{
		"no ONNX":        {[]byte("hello"), "size = 1024\n" + tinyScale, "not an ONNX model"},
		"cut off":        {tiny[:len(tiny)*2/3], "size = 1024\n" + tinyScale, "truncated"},
		"another graph":  {tiny, "size = 512\n" + tinyScale, "its description says 512"},
		"another output": {tiny, "size = 1024\noutput = \"alpha\"\n" + tinyScale, `no output "alpha"`},
		"another input":  {tiny, "size = 1024\ninput = \"picture\"\n" + tinyScale, `not just "picture"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := tinyStore(t)
			s.describe(t, c.file, c.description)
			derived, err := s.deriveTiny(t)
			if err != nil || !strings.Contains(derived.Reason, c.says) {
				t.Fatalf("derived is %+v (%v)", derived, err)
			}
			if known, err := s.Derived("tiny"); err != nil || known.Reason != derived.Reason {
				t.Errorf("the reason is not kept: %v (%v)", known, err)
			}
			if m, err := s.Installed("tiny"); err != nil || len(m.Variants) != 1 || filepath.Base(m.Variants[0].File) != "tiny.onnx" {
				t.Errorf("the model is %v (%v)", m, err)
			}
		})
	}
}

// What was derived on another machine, from another file or for another
// runtime is not used.
func TestForeignDerivation(t *testing.T) {
	s := tinyStore(t)
	m, err := s.Original("tiny")
	if err != nil {
		t.Fatal(err)
	}
	here, of := s.derivedDir(m)
	if !strings.Contains(of.CPU, "amd64") && !strings.Contains(of.CPU, "arm64") || of.Runtime == "" || of.SHA256 == "" {
		t.Errorf("it depends on too little: %+v", of)
	}
	changed := m
	changed.Variants = []cutout.Variant{m.Variants[0]}
	changed.Variants[0].SHA256 = strings.Repeat("0", 64)
	if other, _ := s.derivedDir(changed); other == here {
		t.Error("another file has the same folder")
	}
	other := Open(s.dir)
	other.Catalogue.Runtimes = slices.Clone(s.Catalogue.Runtimes)
	for i := range other.Catalogue.Runtimes {
		other.Catalogue.Runtimes[i].Version = "9.9.9"
	}
	if elsewhere, _ := other.derivedDir(m); elsewhere == here {
		t.Error("another runtime has the same folder")
	}
	s.calibrateTiny(t)
	if measured, _ := s.derivedDir(m); measured == here {
		t.Error("other ranges have the same folder")
	}
}

func TestDefaultRangesFit(t *testing.T) {
	s := Open(t.TempDir())
	e, err := s.Entry(Default)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := s.ranges(Default, e.SHA256)
	if err != nil || r == nil || len(r.Ranges) < 200 || r.Pictures == 0 {
		t.Errorf("the default model's ranges are %v (%v)", r, err)
	}
}
