package batch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Write writes a result whole or not at all. An existing file is replaced only if
// asked for.
func Write(target string, content []byte, replace bool) error {
	if special(target) {
		return os.WriteFile(target, content, 0o600)
	}
	partial, err := Begin(target, replace)
	if err != nil {
		return err
	}
	defer partial.Drop()
	if err := os.WriteFile(partial.Path, content, 0o644); err != nil { //nolint:gosec // the user's own picture
		return plain(err)
	}
	return partial.Finish()
}

// special recognises devices and pipes, which are written to rather than replaced.
func special(target string) bool {
	info, err := os.Stat(target)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// Partial is a result that is not complete yet: a hidden file or folder next to its target.
// It is gone after Finish or Drop.
type Partial struct {
	Path    string
	target  string
	replace bool
	folder  string // the hidden folder that holds it
}

// Begin prepares a result's folder. The result is then written to Path, which does not
// exist yet.
func Begin(target string, replace bool) (*Partial, error) {
	parent := filepath.Dir(target)
	if err := os.MkdirAll(parent, 0o755); err != nil { //nolint:gosec // for the user's own pictures
		return nil, err
	}
	p := &Partial{target: target, replace: replace}
	if err := p.free(); err != nil {
		return nil, err
	}
	var err error
	if p.folder, err = os.MkdirTemp(parent, ".bgremover-"); err != nil {
		return nil, err
	}
	p.Path = filepath.Join(p.folder, filepath.Base(target))
	return p, nil
}

// free checks that the result may be written.
func (p *Partial) free() error {
	if _, err := os.Lstat(p.target); err == nil && !p.replace {
		return fmt.Errorf("%s exists; use --force to overwrite it", p.target)
	}
	return nil
}

// Finish makes it the result.
func (p *Partial) Finish() error {
	defer p.Drop()
	if info, err := os.Stat(p.Path); err == nil && info.IsDir() {
		if err := p.clear(); err != nil {
			return err
		}
	}
	if !p.replace {
		// A link, unlike a rename, never replaces what appeared meanwhile; some file
		// systems have none.
		if err := os.Link(p.Path, p.target); err == nil {
			return nil
		}
		if err := p.free(); err != nil {
			return err
		}
	}
	return os.Rename(p.Path, p.target)
}

// clear removes the frames of an earlier run; a folder that holds anything else
// stays as it is.
func (p *Partial) clear() error {
	entries, err := os.ReadDir(p.target)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if frame, _ := filepath.Match("[0-9][0-9][0-9][0-9][0-9][0-9].png", entry.Name()); !frame {
			return fmt.Errorf("the folder %s holds other files than frames; choose another with --to", p.target)
		}
	}
	return os.RemoveAll(p.target)
}

// Drop removes what is not finished.
func (p *Partial) Drop() { _ = os.RemoveAll(p.folder) }

// Date makes a result at least as new as its file, which may have a time in the future;
// otherwise it would never count as done.
func Date(f File) {
	info, err := os.Stat(f.Path)
	if err == nil && info.ModTime().After(time.Now()) {
		_ = os.Chtimes(f.Target, time.Time{}, info.ModTime())
	}
}
