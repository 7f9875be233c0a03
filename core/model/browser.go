package model

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/andybalholm/brotli"

	"bgremover.pro/core/cutout"
)

// Browser is what a visitor's browser needs to run a model by itself: the runtime,
// one graph, and how the graphs of the other sizes are made from it.
type Browser struct {
	Model cutout.Model
	// Script and Program are the runtime's.
	Script, Program WebFile
	Graph           WebFile // of the smallest size
	// Sizes are the model's, smallest first; the first needs no patch.
	Sizes []BrowserSize
}

// BrowserSize is the graph of one input size.
type BrowserSize struct {
	Size   int     `json:"size"`
	SHA256 string  `json:"sha256"`
	Patch  []Piece `json:"patch,omitempty"`
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
// a model compresses its files and compares its graphs, which takes half a
// minute; the results are kept in the data folder.
//
// Codes: as of Original, and BackendUnavailable if the runtime for browsers is not
// installed, or the model has no integer graphs: others are too large and too slow
// for browsers.
func (s *Store) Browser(ctx context.Context, name string) (Browser, error) {
	m, err := s.Installed(name)
	if err != nil {
		return Browser{}, err
	}
	if m.Post != cutout.PostNone {
		return Browser{}, cutout.Errorf(cutout.BackendUnavailable, "The output of %s needs more than browsers do with it.", name)
	}
	var whole []cutout.Variant
	for _, v := range m.Variants {
		if v.Precision == "int8" && (len(whole) == 0 || whole[len(whole)-1].Size != v.Size) {
			whole = append(whole, v)
		}
	}
	if len(whole) == 0 {
		return Browser{}, cutout.Errorf(cutout.BackendUnavailable, "%s has no integer graphs on this machine.", name)
	}
	m.Variants = whole
	b := Browser{Model: m}
	if err := s.webRuntime(ctx, &b); err != nil {
		return Browser{}, err
	}
	if b.Graph, err = s.webFile(ctx, whole[0].File); err != nil {
		return Browser{}, err
	}
	b.Sizes, err = s.browserSizes(ctx, whole)
	return b, err
}

func (s *Store) webRuntime(ctx context.Context, b *Browser) error {
	script, err := s.runtimePath("web")
	if err != nil {
		return err
	}
	r, err := s.runtimeEntry("web")
	if err != nil {
		return err
	}
	if b.Script, err = s.webFile(ctx, script); err != nil {
		return err
	}
	b.Program, err = s.webFile(ctx, s.runtimeFile(r, r.Files[1]))
	return err
}

// browserSizes reads how the graphs are made from the first, or finds out.
func (s *Store) browserSizes(ctx context.Context, whole []cutout.Variant) ([]BrowserSize, error) {
	kept := filepath.Join(filepath.Dir(whole[0].File), "browser.json")
	var sizes []BrowserSize
	if text, err := os.ReadFile(kept); err == nil && json.Unmarshal(text, &sizes) == nil && s.current(sizes, whole) {
		return sizes, nil
	}
	sizes = nil
	base, err := os.ReadFile(whole[0].File)
	if err != nil {
		return nil, err
	}
	for i, v := range whole {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		size := BrowserSize{Size: v.Size, SHA256: s.stamps.sha256(s.relative(v.File))}
		if i > 0 {
			graph, err := os.ReadFile(v.File)
			if err != nil {
				return nil, err
			}
			if size.Patch, err = patchOf(base, graph); errors.Is(err, errUnlike) {
				continue // browsers do without this size
			}
		}
		sizes = append(sizes, size)
	}
	text, err := json.Marshal(sizes)
	if err == nil {
		err = writeFile(kept, text)
	}
	s.costsTime(err)
	return sizes, nil
}

func (s *Store) current(sizes []BrowserSize, whole []cutout.Variant) bool {
	return len(sizes) > 0 && sizes[0].Size == whole[0].Size && sizes[0].SHA256 == s.stamps.sha256(s.relative(whole[0].File))
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
