package model

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"bgremover.pro/core/atomicfile"
	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

//go:embed serving
var serving embed.FS

// layout says where an inference server wants its files.
type layout struct {
	graph string            // the path of a graph; %s stands for its name
	each  map[string]string // files beside every graph: their source below serving, by path
	once  map[string]string // and files for all of them
}

var layouts = map[string]layout{
	"triton": {graph: "%s/1/model.onnx", each: map[string]string{"%s/config.pbtxt": "triton/config.pbtxt"}},
	"kserve": {graph: "%s.onnx", once: map[string]string{"serve.py": "kserve/serve.py"}},
	"mlserver": {graph: "%s/model.onnx",
		each: map[string]string{
			"%s/model-settings.json": "mlserver/model-settings.json",
			"%s/onnx_runtime.py":     "mlserver/onnx_runtime.py",
		},
		once: map[string]string{"settings.json": "mlserver/settings.json"}},
}

// Export says what is written for other servers.
type Export struct {
	Server string // "triton", "kserve" or "mlserver"
	// GPU keeps the installed file's precision, which suits a GPU, at all sizes;
	// otherwise the graphs are those that run fastest on this machine's processor.
	GPU bool
	Dir string
}

// Exported is a graph that was written.
type Exported struct {
	Model, Name string
	contract.ServedGraph
}

// InputDims and OutputDims are the tensors' dimensions as Triton's configuration wants
// them: without the number of pictures where that is free.
func (e Exported) InputDims() string {
	return e.dims([]int64{3, int64(e.Size), int64(e.Size)})
}

func (e Exported) OutputDims() string { return e.dims(e.OutputShape) }

func (e Exported) dims(shape []int64) string {
	if !e.Batch {
		shape = slices.Concat([]int64{1}, shape)
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]")
}

// Export writes an installed model's graphs, and the configuration that a server of
// the Open Inference Protocol needs to serve each as NAME-SIZE, into a folder. What an
// earlier export wrote there is replaced, file by file. The graphs take bytes, a quarter
// of what floats take on the way. Codes: Invalid, BackendUnavailable (model, runtime or
// program missing), Canceled, Internal.
func (s *Store) Export(ctx context.Context, name, program string, to Export) ([]Exported, error) {
	wants, known := layouts[to.Server]
	if !known {
		return nil, cutout.Errorf(cutout.Invalid, "There is nothing to write for a server called %q; there is for %s.",
			to.Server, strings.Join(slices.Sorted(maps.Keys(layouts)), ", "))
	}
	m, err := s.served(name, to.GPU)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(to.Dir, folderMode); err != nil {
		return nil, err
	}
	fresh, err := os.MkdirTemp(to.Dir, atomicfile.Temporary)
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	answer, err := s.runDerive(ctx, program, contract.DeriveRequest{Model: m, Serve: true, Dir: fresh}, nil)
	if err == nil && answer.Error != "" {
		err = cutout.Errorf(cutout.Invalid, "%s cannot be exported: %s.", name, answer.Error)
	}
	if err != nil {
		return nil, explain(ctx, to.Dir, err)
	}
	var all []Exported
	for _, g := range answer.Served {
		e := Exported{Model: name, Name: fmt.Sprintf("%s-%d", name, g.Size), ServedGraph: g}
		if err := wants.place(&e, to.Dir); err != nil {
			return nil, explain(ctx, to.Dir, err)
		}
		all = append(all, e)
	}
	if err := wants.write(wants.once, to.Dir, Exported{}); err != nil {
		return nil, explain(ctx, to.Dir, err)
	}
	return all, nil
}

// served returns the model with one variant for each size that is used here.
func (s *Store) served(name string, gpu bool) (cutout.Model, error) {
	installed, err := s.Original(name)
	if err != nil {
		return cutout.Model{}, err
	}
	m, err := s.Installed(name)
	if err != nil {
		return cutout.Model{}, err
	}
	m.Variants = slices.CompactFunc(slices.Clone(m.Variants), func(a, b cutout.Variant) bool { return a.Size == b.Size })
	for i := range m.Variants {
		if gpu {
			m.Variants[i].File = installed.Variants[0].File
		}
	}
	return m, nil
}

// place moves a graph to where the server looks for it, with its configuration.
func (l layout) place(e *Exported, dir string) error {
	at := filepath.Join(dir, fmt.Sprintf(l.graph, e.Name))
	if err := os.MkdirAll(filepath.Dir(at), folderMode); err != nil {
		return err
	}
	if err := os.Rename(e.File, at); err != nil {
		return err
	}
	e.File = at
	return l.write(l.each, dir, *e)
}

func (l layout) write(files map[string]string, dir string, e Exported) error {
	for to, from := range files {
		if strings.Contains(to, "%s") {
			to = fmt.Sprintf(to, e.Name)
		}
		text, err := fs.ReadFile(serving, path.Join("serving", from))
		if err != nil {
			return err
		}
		var filled bytes.Buffer
		if path.Ext(from) == ".py" {
			filled.Write(text)
		} else if err := template.Must(template.New(from).Parse(string(text))).Execute(&filled, e); err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(to)), filled.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
