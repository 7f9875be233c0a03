package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"bgremover.pro/core/atomicfile"
	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

// Derive makes the graphs that run an installed model fastest on this machine: with
// smaller inputs, and number formats that its processor computes faster. Each is
// checked against the installed file before it may serve, and the choice is saved,
// so that Installed returns it from now on; an existing choice is returned at once.
// The program onnx-derive does the work, in a process of its own; it takes about a
// minute and up to 2 GB.
//
// A model that cannot be made faster is not an error: Derived.Reason says why, and
// the installed file serves. Codes: Invalid, BackendUnavailable (model, runtime
// or program missing), Canceled, Internal (such as a full disk).
func (s *Store) Derive(ctx context.Context, name, program string) (Derived, error) {
	m, err := s.Original(name)
	if err != nil {
		return Derived{}, err
	}
	unlock, err := s.lock(ctx, "derive")
	if err != nil {
		return Derived{}, explain(ctx, s.dir, err)
	}
	defer unlock()
	dir, derived := s.derivedDir(m)
	if known, err := readDerived(dir); err == nil {
		return known, nil
	}
	if err := s.derive(ctx, m, program, dir, &derived); err != nil {
		return Derived{}, explain(ctx, s.dir, err)
	}
	s.forget(dir, derived)
	return derived, nil
}

// derive fills a new folder and moves it into place when it is complete.
func (s *Store) derive(ctx context.Context, m cutout.Model, program, dir string, derived *Derived) error {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, folderMode); err != nil {
		return err
	}
	s.sweep("models/derived")
	fresh, err := os.MkdirTemp(parent, atomicfile.Temporary)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	if err := os.Chmod(fresh, folderMode); err != nil {
		return err
	}
	request := contract.DeriveRequest{Model: m, Sizes: sizesFor(m.Variants[0].Size), Dir: fresh}
	ranges, _, unfit := s.ranges(m.Name, m.Variants[0].SHA256)
	if ranges != nil {
		request.Ranges = ranges.Ranges
	}
	pictures, err := checkPictures(request.Sizes)
	if err != nil {
		return err
	}
	answer, err := s.runDerive(ctx, program, request, pictures)
	if err != nil {
		return err
	}
	derived.Trials, derived.DeviceUnfit = answer.Trials, answer.DeviceUnfit
	if unfit != nil {
		derived.Trials = append(derived.Trials, contract.DeriveTrial{Precision: "int8", Rejected: unfit.Error()})
	}
	if answer.Error != "" {
		derived.Reason = answer.Error
	} else if err := derived.take(answer, m.Variants[0]); err != nil {
		return err
	}
	if err := writeManifest(fresh, *derived); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil { // a broken one
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		return err
	}
	return atomicfile.SyncFolder(parent)
}

// take records the graphs of an answer with their checksums.
func (d *Derived) take(answer contract.DeriveAnswer, installed cutout.Variant) error {
	native := false
	for _, v := range answer.Variants {
		native = native || v.Size == installed.Size
		graph := DerivedGraph{Size: v.Size, Precision: v.Precision}
		if v.File != installed.File {
			got, err := digest(v.File)
			if err != nil {
				return err
			}
			graph.File, graph.SHA256 = filepath.Base(v.File), got.sha256
		}
		d.Graphs = append(d.Graphs, graph)
	}
	if !native {
		return errors.New("the program onnx-derive returned no graph of the model's own size")
	}
	return nil
}

// sizesFor lists the useful input sizes of a model: smaller ones only if they still
// show enough detail.
func sizesFor(native int) []int {
	if native >= 1024 && native%256 == 0 {
		return []int{native / 2, native / 4 * 3, native}
	}
	return []int{native}
}

// forget removes what was derived from a model for this processor before.
func (s *Store) forget(current string, derived Derived) {
	dirs, _ := filepath.Glob(filepath.Join(filepath.Dir(current), derived.Model+"-*"))
	for _, dir := range dirs {
		old, err := readDerived(dir)
		if dir != current && err == nil && old.Model == derived.Model && old.CPU == derived.CPU {
			_ = os.RemoveAll(dir) // it only costs space
		}
	}
}

// Calibrate measures the ranges that integer graphs of a model need, on
// pictures of the model's size, and writes them into the data folder, where
// the next Derive finds them. It returns the file. Codes: as of Derive.
func (s *Store) Calibrate(ctx context.Context, name, program string, pictures []*cutout.Input) (string, error) {
	m, err := s.Original(name)
	if err != nil {
		return "", err
	}
	native := m.Variants[0]
	for _, p := range pictures {
		if p.Width != native.Size || p.Height != native.Size {
			return "", fmt.Errorf("the picture has %d x %d pixels, but the model takes %d", p.Width, p.Height, native.Size)
		}
	}
	request := contract.DeriveRequest{Model: m, Calibrate: true, Pictures: len(pictures)}
	answer, err := s.runDerive(ctx, program, request, pictures)
	if err == nil && answer.Error != "" {
		err = cutout.Errorf(cutout.Invalid, "%s cannot be calibrated: %s.", name, answer.Error)
	}
	if err != nil {
		return "", explain(ctx, s.dir, err)
	}
	file := filepath.Join(s.dir, "models", name+".ranges.json")
	measured := Ranges{Model: name, SHA256: native.SHA256, Pictures: len(pictures), Ranges: answer.Ranges}
	if err := measured.write(file); err != nil {
		return "", explain(ctx, s.dir, err)
	}
	return file, nil
}

func writeManifest(dir string, derived Derived) error {
	text, err := json.MarshalIndent(derived, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "manifest.json"), text)
}
