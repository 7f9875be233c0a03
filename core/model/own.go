package model

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"bgremover.pro/core/cutout"
)

// own reads the models that the operator has put into the data folder: NAME.onnx with
// NAME.toml next to it, which holds the keys of Entry that differ from these defaults:
// samples divided by 255, output 0..1, the graph's first input and output. Only size has no
// default. An invalid description is reported, and the others are still returned.
func (s *Store) own() (entries []Entry, problems []error) {
	files, err := filepath.Glob(filepath.Join(s.dir, "models", "*.toml"))
	if err != nil {
		return nil, []error{err}
	}
	for _, file := range files {
		entry, err := readOwn(file)
		if err == nil {
			for _, known := range s.Catalogue.Models {
				if known.Name == entry.Name {
					err = fmt.Errorf("%s: the catalogue already has a model %s; give yours another name", file, entry.Name)
				}
			}
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		entries = append(entries, entry)
	}
	return entries, problems
}

func readOwn(file string) (Entry, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Entry{}, err
	}
	entry := Entry{
		About: "your own", Scale: 255, Mean: []float32{0, 0, 0}, Std: []float32{1, 1, 1}, Post: cutout.PostNone,
	}
	if err := decodeStrictly(text, &entry); err != nil {
		return Entry{}, fmt.Errorf("%s: %w", file, err)
	}
	entry.Own = true
	name := strings.TrimSuffix(filepath.Base(file), ".toml")
	if entry.Name != "" && entry.Name != name {
		return Entry{}, fmt.Errorf("%s: a model is named after its file; remove name", file)
	}
	entry.Name = name
	if entry.NPM != "" || entry.URL != "" {
		return Entry{}, fmt.Errorf("%s: put the model's file next to the description and remove npm and url; your own models are not downloaded", file)
	}
	if err := entry.check(); err != nil {
		return Entry{}, fmt.Errorf("%s: %w", file, err)
	}
	weights := strings.TrimSuffix(file, ".toml") + ".onnx"
	if info, err := os.Stat(weights); err != nil || !info.Mode().IsRegular() {
		return Entry{}, fmt.Errorf("%s: its model %s is missing: %w", file, filepath.Base(weights), fs.ErrNotExist)
	}
	return entry, nil
}
