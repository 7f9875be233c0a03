package model

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"slices"

	"github.com/andybalholm/brotli"

	"bgremover.pro/core/cutout"
)

// Browser is what a visitor's browser needs to run a model by itself: one graph, which
// it runs at any of the sizes.
type Browser struct {
	Model cutout.Model
	Graph WebFile
	Sizes []int // smallest first
}

// WebFile is a file as it is served.
type WebFile struct {
	Path, SHA256 string
	Bytes        int64
	// Encoded has the same file by content coding, "br" and "gzip", if the data
	// folder could hold them.
	Encoded map[string]string
	// Transfer is the size of the smallest of all.
	Transfer int64
}

// Browser returns what browsers need to run an installed model. The first call for
// a model compresses its graph, which takes half a minute; the result is kept in the
// data folder.
//
// Codes: as of Original, and BackendUnavailable if the model has no integer graphs
// that the engine for browsers can run.
func (s *Store) Browser(ctx context.Context, name string) (Browser, error) {
	m, err := s.Installed(name)
	if err != nil {
		return Browser{}, err
	}
	if m.Post != cutout.PostNone {
		return Browser{}, cutout.Errorf(cutout.BackendUnavailable, "The output of %s needs more than browsers do with it.", name)
	}
	b := Browser{Model: m}
	file := ""
	for _, v := range m.Variants {
		if v.Precision != "int8" || slices.Contains(b.Sizes, v.Size) {
			continue
		}
		if file == "" {
			file = v.File // those of the other sizes hold the same weights
		}
		b.Sizes = append(b.Sizes, v.Size)
	}
	if file == "" {
		return Browser{}, cutout.Errorf(cutout.BackendUnavailable, "%s has no integer graphs on this machine.", name)
	}
	derived, err := s.Derived(name)
	if err != nil {
		return Browser{}, err
	}
	if derived.DeviceUnfit != "" {
		return Browser{}, cutout.Errorf(cutout.BackendUnavailable, "Browsers cannot run %s: %s.", name, derived.DeviceUnfit)
	}
	b.Graph, err = s.webFile(ctx, file)
	return b, err
}

// webFile describes an installed file, which its caller has checked, and
// compresses it if that was not done before.
func (s *Store) webFile(ctx context.Context, path string) (WebFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return WebFile{}, err
	}
	f := WebFile{Path: path, SHA256: s.stamps.sha256(s.relative(path)), Bytes: info.Size(), Transfer: info.Size(), Encoded: map[string]string{}}
	if f.SHA256 == "" {
		got, err := digest(path)
		if err != nil {
			return WebFile{}, err
		}
		f.SHA256 = got.sha256
	}
	for coding, ending := range map[string]string{"br": ".br", "gzip": ".gz"} {
		err := s.encode(ctx, coding, path, path+ending)
		if ctx.Err() != nil {
			return WebFile{}, ctx.Err()
		}
		if err != nil {
			s.costsTime(err)
			continue
		}
		f.Encoded[coding] = path + ending
		f.Transfer = min(f.Transfer, sizeOf(path+ending))
	}
	return f, nil
}

// encode writes a file in a content coding, unless that is there.
func (s *Store) encode(ctx context.Context, coding, from, to string) error {
	if info, err := os.Stat(to); err == nil {
		if _, known := s.stamps.get(s.relative(to), info); known {
			return nil
		}
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	err = replace(to, func(out *os.File) error {
		w := io.WriteCloser(gzip.NewWriter(out))
		if coding == "br" {
			w = brotli.NewWriterLevel(out, 5) // 9 takes six times as long to save 0.1 %
		}
		if _, err := io.CopyBuffer(w, reader{ctx, in}, make([]byte, 1<<20)); err != nil {
			return err
		}
		return w.Close()
	})
	if err != nil {
		return err
	}
	info, err := os.Stat(to)
	if err != nil {
		return err
	}
	got, err := digest(to)
	if err != nil {
		return err
	}
	return s.stamps.set(s.relative(to), info, got.sha256)
}

// costsTime logs that the data folder cannot keep what saves time later.
func (s *Store) costsTime(err error) {
	if err != nil && s.Log != nil {
		s.Log.Warn("the data folder cannot keep what was prepared for browsers", "error", err)
	}
}
