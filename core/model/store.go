package model

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"bgremover.pro/core/cutout"
)

// Store is a data folder with runtimes and models:
//
//	installed.json                                which files were checked
//	runtime/onnxruntime-VERSION[-cuda]/           libraries
//	models/NAME.onnx                              models, byte by byte as published
//	models/NAME.toml                              descriptions of the operator's own models
//	models/derived/                               faster graphs, made on this machine
//	downloads/                                    unfinished downloads
//
// It is safe for concurrent use; writers of several processes wait for each other.
type Store struct {
	dir string
	// Catalogue is what may be installed; the embedded one unless changed.
	Catalogue Catalogue
	// Client fetches https sources; nil means one with sensible timeouts.
	Client Doer
	// Log receives problems that do not stop anything; nil means no log.
	Log *slog.Logger

	stamps stamps
	pause  time.Duration // before the next attempt at a download; doubled each time
}

// Open returns the store of a data folder, which need not exist yet.
func Open(dir string) *Store {
	abs, err := filepath.Abs(dir)
	if err == nil {
		dir = abs
	}
	return &Store{
		dir: dir, Catalogue: Known(), pause: 250 * time.Millisecond,
		stamps: stamps{file: filepath.Join(dir, "installed.json")},
	}
}

// Dir returns the data folder.
func (s *Store) Dir() string { return s.dir }

// Runtime returns the path of the CPU build of ONNX Runtime.
// Code: BackendUnavailable if it is not installed, whole and unchanged.
func (s *Store) Runtime() (string, error) { return s.runtimePath("cpu") }

// gpuRuntimes are the builds for a GPU, of which one is installed at a time.
var gpuRuntimes = []string{"cuda", "cuda12"}

// CUDARuntime returns the path of the installed CUDA build of ONNX Runtime, in whose
// folder CUDA's libraries are too. Code: BackendUnavailable, as of Runtime.
func (s *Store) CUDARuntime() (string, error) {
	path, err := s.runtimePath(gpuRuntimes[0])
	for _, name := range gpuRuntimes[1:] {
		if err == nil {
			break
		}
		if older, olderErr := s.runtimePath(name); olderErr == nil {
			return older, nil
		}
	}
	return path, err
}

func (s *Store) runtimePath(name string) (string, error) {
	r, err := s.runtimeEntry(name)
	if err != nil {
		return "", err
	}
	for _, file := range r.Files {
		if err := s.intact(s.runtimeFile(r, file), file.Content); err != nil {
			return "", fmt.Errorf("ONNX Runtime (%s): %w", name, err)
		}
	}
	return s.runtimeFile(r, r.Files[0]), nil
}

func (s *Store) runtimeEntry(name string) (Runtime, error) {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	for _, r := range s.Catalogue.Runtimes {
		if r.Name == name && r.Platform == platform {
			return r, nil
		}
	}
	return Runtime{}, noRuntime(name, platform)
}

// noRuntime says what works on a platform without a runtime.
func noRuntime(name, platform string) error {
	if strings.HasPrefix(platform, "linux/") {
		return cutout.Errorf(cutout.BackendUnavailable, "There is no %s build of ONNX Runtime for %s in the catalogue.", name, platform)
	}
	return cutout.Errorf(cutout.BackendUnavailable, "Models run on Linux only, and this machine is %s. "+
		"Here photos can be sent to a server (`bgremover remove --server`), and the server can use inference servers (ops/inference.md).", platform)
}

func (s *Store) runtimeFile(r Runtime, file RuntimeFile) string {
	return filepath.Join(s.runtimeFolder(r), file.Name)
}

func (s *Store) runtimeFolder(r Runtime) string {
	folder := "onnxruntime-" + r.Version
	if r.Name != "cpu" {
		folder += "-" + r.Name
	}
	return filepath.Join(s.dir, "runtime", folder)
}

// Entry returns the model of a name, from the catalogue or the operator's own.
// Code: Invalid, naming the choices.
func (s *Store) Entry(name string) (Entry, error) {
	own, problems := s.own()
	for _, e := range append(own, s.Catalogue.Models...) {
		if e.Name == name {
			return e, nil
		}
	}
	for _, err := range problems {
		if strings.Contains(err.Error(), name+".toml") {
			return Entry{}, cutout.Errorf(cutout.Invalid, "%v", err)
		}
	}
	var names []string
	for _, e := range append(s.Catalogue.Models, own...) {
		names = append(names, e.Name)
	}
	return Entry{}, cutout.Errorf(cutout.Invalid, "There is no model %q; choose one of: %s.", name, strings.Join(names, ", "))
}

// Original returns an installed model with its one file as published, which
// is what a GPU runs. Codes: Invalid (unknown name), BackendUnavailable (not
// installed, or changed since).
func (s *Store) Original(name string) (cutout.Model, error) {
	e, err := s.Entry(name)
	if err != nil {
		return cutout.Model{}, err
	}
	if err := s.intact(s.modelFile(e), e.Content); err != nil {
		return cutout.Model{}, fmt.Errorf("model %s: %w", name, err)
	}
	precision := e.Precision
	if precision == "" {
		precision = "fp32"
	}
	return cutout.Model{
		Name: e.Name, Input: e.Input, Output: e.Output,
		Scale: e.Scale, Mean: [3]float32(e.Mean), Std: [3]float32(e.Std), Post: e.Post,
		Variants: []cutout.Variant{{
			Size: e.Size, File: s.modelFile(e), Precision: precision,
			SHA256: s.stamps.sha256(s.relative(s.modelFile(e))),
		}},
	}, nil
}

// File is the path of the installed file of a model, which need not be there.
func (s *Store) File(name string) string { return s.modelFile(Entry{Name: name}) }

func (s *Store) modelFile(e Entry) string {
	return filepath.Join(s.dir, "models", e.Name+".onnx")
}

func (s *Store) relative(path string) string {
	rel, err := filepath.Rel(s.dir, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}

// intact reports whether a file is the expected one. A file that has not changed
// since its last check is trusted; any other is read and hashed again.
func (s *Store) intact(path string, want Content) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return notInstalled(filepath.Base(path))
	}
	if err != nil {
		return cutout.Wrap(cutout.BackendUnavailable, err, "A model or runtime file cannot be read; see the log.")
	}
	rel := s.relative(path)
	if known, ok := s.stamps.get(rel, info); ok && (want.SHA256 == "" || want.SHA256 == known) {
		return nil
	}
	got, err := digest(path)
	if err != nil {
		return cutout.Wrap(cutout.BackendUnavailable, err, "A model or runtime file cannot be read; see the log.")
	}
	if err := got.match(filepath.Base(path), want); err != nil {
		return err
	}
	// A data folder that cannot be written to only costs the time of hashing again.
	if err := s.stamps.set(rel, info, got.sha256); err != nil && s.Log != nil {
		s.Log.Debug("cannot record a checked file; it will be read again at the next start", "error", err)
	}
	return nil
}

func notInstalled(what string) error {
	return cutout.Errorf(cutout.BackendUnavailable,
		"%s is not installed; run `make setup` or `bgremover models pull`.", what)
}
