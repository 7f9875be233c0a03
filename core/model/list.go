package model

import (
	"context"
	"os"
	"path/filepath"
)

// runtimes are the names of runtimes, in the order in which they are listed.
var runtimes = append([]string{"cpu"}, gpuRuntimes...)

// Listed is one model or runtime as a list shows it.
type Listed struct {
	Name, About, Licence string
	Installed            bool
	Own                  bool
	// Bytes is the installed file's size, or that of the download if known.
	Bytes int64
}

// List returns what the catalogue and the data folder hold, runtimes for this
// platform first, and the errors in descriptions of the operator's own models.
func (s *Store) List() ([]Listed, []error) {
	var all []Listed
	for _, name := range runtimes {
		r, err := s.runtimeEntry(name)
		if err != nil {
			continue
		}
		path, err := s.runtimePath(name)
		all = append(all, Listed{
			Name: "runtime " + name, About: "ONNX Runtime " + r.Version, Licence: r.Licence,
			Installed: err == nil, Bytes: sizeOr(path, r.Bytes),
		})
	}
	own, problems := s.own()
	for _, e := range append(s.Catalogue.Models, own...) {
		err := s.intact(s.modelFile(e), e.Content)
		bytes := e.Content.Bytes
		if bytes == 0 {
			bytes = e.Package.Bytes
		}
		all = append(all, Listed{
			Name: e.Name, About: e.About, Licence: e.Licence, Own: e.Own,
			Installed: err == nil, Bytes: sizeOr(s.modelFile(e), bytes),
		})
	}
	return all, problems
}

func sizeOr(path string, otherwise int64) int64 {
	if size := sizeOf(path); size > 0 {
		return size
	}
	return otherwise
}

// Names lists the installed models in the catalogue's order, the operator's own
// ones last.
func (s *Store) Names() []string {
	own, _ := s.own()
	var names []string
	for _, e := range append(s.Catalogue.Models, own...) {
		if s.intact(s.modelFile(e), e.Content) == nil {
			names = append(names, e.Name)
		}
	}
	return names
}

// Checked is the result of checking one installed file again.
type Checked struct {
	File string // relative to the data folder
	Err  error  // nil if it is intact
}

// Verify reads every installed file again, whatever was recorded about it. Files
// that were never installed are not an error. Code: Canceled.
func (s *Store) Verify(ctx context.Context) ([]Checked, error) {
	var wanted Wanted
	own, _ := s.own()
	for _, e := range append(s.Catalogue.Models, own...) {
		wanted.Models = append(wanted.Models, e.Name)
	}
	items, err := s.items(wanted)
	if err != nil {
		return nil, err
	}
	for _, name := range runtimes {
		if its, err := s.items(Wanted{Runtime: name}); err == nil {
			items = append(items, its...)
		}
	}
	var checked []Checked
	for _, it := range items {
		for _, file := range it.files {
			if err := ctx.Err(); err != nil {
				return checked, explain(ctx, s.dir, err)
			}
			info, err := os.Stat(file.path)
			if err != nil {
				continue
			}
			checked = append(checked, Checked{s.relative(file.path), s.reread(file, info)})
		}
	}
	return checked, nil
}

func (s *Store) reread(file target, info os.FileInfo) error {
	got, err := digest(file.path)
	if err != nil {
		return err
	}
	want := file.content
	if want.SHA256 == "" && want.MD5 == "" {
		want.SHA256 = s.stamps.sha256(s.relative(file.path))
	}
	if err := got.match(filepath.Base(file.path), want); err != nil {
		return err
	}
	_ = s.stamps.set(s.relative(file.path), info, got.sha256) // only saves time
	return nil
}
