package model

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bgremover.pro/core/atomicfile"
	"bgremover.pro/core/cutout"
)

// Wanted says what Pull should install.
type Wanted struct {
	// Models are names in the catalogue.
	Models []string
	// Runtime is "cpu", "cuda", "cuda12" or "" for none. Of the builds for a GPU the
	// latest pulled replaces the others.
	Runtime string
	// From is a folder with files copied by hand; then nothing is downloaded.
	From string
}

// Progress receives the steps of a Pull, on Pull's goroutines. It may be nil.
type Progress func(Event)

// Event is one step of a Pull.
type Event struct {
	What  string // such as "isnet"
	State State
	// Done and Total are bytes, while State is Fetching; Total is 0 if unknown.
	Done, Total int64
}

// State is what a Pull is doing with one thing.
type State string

// The states, in order; Present replaces all the others if there is nothing to do.
const (
	Planned   State = "planned" // Done are the bytes to download, Total those of the disk
	Fetching  State = "fetching"
	Unpacking State = "unpacking"
	Installed State = "installed"
	Present   State = "present"
)

// item is one package with the files of it that are to be installed.
type item struct {
	what   string
	source Package
	files  []target
}

type target struct {
	path    string
	content Content
	// names are the possible names of the plain file in a folder of files copied
	// by hand.
	names []string
}

// Pull installs what is wanted and not there yet. The next Pull continues one that
// was interrupted; files are complete or absent.
// Codes: Invalid (unknown name, checksum needed), Canceled, Internal.
func (s *Store) Pull(ctx context.Context, wanted Wanted, progress Progress) error {
	if progress == nil {
		progress = func(Event) {}
	}
	items, err := s.items(wanted)
	if err != nil {
		return err
	}
	var missing []item
	for _, it := range items {
		if s.present(it) {
			progress(Event{What: it.what, State: Present})
			continue
		}
		missing = append(missing, it)
	}
	if len(missing) == 0 {
		return nil
	}
	unlock, err := s.lock(ctx, "pull")
	if err != nil {
		return explain(ctx, s.dir, err)
	}
	defer unlock()
	if download, disk := plan(missing, wanted.From != ""); disk > 0 {
		if err := s.room(disk); err != nil {
			return err
		}
		progress(Event{What: fmt.Sprintf("%d packages", len(missing)), State: Planned, Done: download, Total: disk})
	}
	s.sweep("models", "runtime/*", "downloads", ".")
	for _, it := range missing {
		if s.present(it) { // another process was faster
			progress(Event{What: it.what, State: Present})
			continue
		}
		if err := s.install(ctx, it, wanted, progress); err != nil {
			return explain(ctx, s.dir, err)
		}
		progress(Event{What: it.what, State: Installed})
	}
	s.removeOtherGPU(wanted.Runtime)
	return nil
}

// removeOtherGPU removes the other builds of the runtime for a GPU, which are large. A
// process that uses one keeps it until it ends.
func (s *Store) removeOtherGPU(name string) {
	if !slices.Contains(gpuRuntimes, name) {
		return
	}
	for _, other := range gpuRuntimes {
		if r, err := s.runtimeEntry(other); err == nil && other != name {
			_ = os.RemoveAll(s.runtimeFolder(r))
		}
	}
}

func (s *Store) items(wanted Wanted) ([]item, error) {
	var items []item
	if wanted.Runtime != "" {
		r, err := s.runtimeEntry(wanted.Runtime)
		if err != nil {
			return nil, cutout.Errorf(cutout.Invalid, "%s", cutout.MessageOf(err))
		}
		for i, part := range append([]Part{{r.Package, r.Files}}, r.Parts...) {
			it := item{what: strings.ReplaceAll(part.PIP, "==", " "), source: part.Package}
			if i == 0 {
				it.what = fmt.Sprintf("ONNX Runtime %s (%s)", r.Version, r.Name)
			}
			for _, file := range part.Files {
				it.files = append(it.files, target{s.runtimeFile(r, file), file.Content, []string{file.Name}})
			}
			items = append(items, it)
		}
	}
	for _, name := range wanted.Models {
		e, err := s.Entry(name)
		if err != nil {
			return nil, err
		}
		names := []string{e.Name + ".onnx"}
		if e.URL != "" {
			names = append(names, e.archive())
		}
		items = append(items, item{e.Name, e.Package, []target{{s.modelFile(e), e.Content, names}}})
	}
	return items, nil
}

func (s *Store) present(it item) bool {
	for _, file := range it.files {
		content := file.content
		if content.SHA256 == "" && content.MD5 == "" {
			content.SHA256 = s.stamps.sha256(s.relative(file.path))
		}
		own := it.source == Package{}
		if content.SHA256 == "" && content.MD5 == "" && !own || s.intact(file.path, content) != nil {
			return false
		}
	}
	return true
}

// install brings one item's files into place.
func (s *Store) install(ctx context.Context, it item, wanted Wanted, progress Progress) error {
	if it.source == (Package{}) {
		return cutout.Errorf(cutout.Invalid, "%s is your own model, and its file does not match its description.", it.what)
	}
	if wanted.From != "" {
		return s.installFrom(ctx, it, wanted, progress)
	}
	for try := 0; ; try++ {
		archive, kept, err := s.fetch(ctx, it, progress)
		if err != nil {
			return err
		}
		progress(Event{What: it.what, State: Unpacking})
		err = s.unpackAll(ctx, archive, it)
		if err != nil && ctx.Err() != nil {
			return err // the download is good; the next run continues with it
		}
		s.discard(archive)
		// A download that an earlier run left behind may be damaged; fetch it
		// once more before blaming its publisher.
		if err != nil && kept && try == 0 && !unwritable(err) {
			continue
		}
		return err
	}
}

// unpackAll puts an item's files in place, each checked before it appears under its
// name, and records their checksums.
func (s *Store) unpackAll(ctx context.Context, archive string, it item) error {
	for _, file := range it.files {
		var sum string
		err := replace(file.path, func(f *os.File) error {
			if err := unpack(ctx, archive, file.content, f); err != nil {
				return err
			}
			got, err := digest(f.Name())
			if err != nil {
				return err
			}
			sum = got.sha256
			return got.match(filepath.Base(file.path), file.content)
		})
		if err != nil {
			return err
		}
		info, err := os.Stat(file.path)
		if err != nil {
			return err
		}
		if err := s.stamps.set(s.relative(file.path), info, sum); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes what a killed run left half-written in folders that only the
// holder of a lock writes to.
func (s *Store) sweep(patterns ...string) {
	for _, pattern := range patterns {
		left, _ := filepath.Glob(filepath.Join(s.dir, pattern, atomicfile.Temporary))
		for _, path := range left {
			_ = os.RemoveAll(path)
		}
	}
}
