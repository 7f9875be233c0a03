package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"bgremover.pro/models"
)

// Ranges are the value ranges of a model's tensors, as measured by Calibrate.
type Ranges struct {
	Model    string                `json:"model"`
	SHA256   string                `json:"sha256"` // of the model's file
	Pictures int                   `json:"pictures"`
	Ranges   map[string][2]float32 `json:"ranges"` // by tensor: least, greatest
}

// ranges returns the ranges of a model that were measured on this machine, or
// else those that come with BGRemover; nil if there are none. Ranges
// for a file other than the installed one are an error.
func (s *Store) ranges(name, sum string) (*Ranges, []byte, error) {
	file := name + ".ranges.json"
	text, err := os.ReadFile(filepath.Join(s.dir, "models", file))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = models.Ranges.ReadFile(file)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var r Ranges
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, text, fmt.Errorf("%s cannot be read: %w", file, err)
	}
	if r.SHA256 != sum {
		return nil, text, fmt.Errorf("%s was measured on a file other than the installed one", file)
	}
	return &r, text, nil
}

// write puts the ranges into a file, one tensor a line.
func (r Ranges) write(path string) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "{\n\"model\": %q,\n\"sha256\": %q,\n\"pictures\": %d,\n\"ranges\": {", r.Model, r.SHA256, r.Pictures)
	for i, name := range slices.Sorted(maps.Keys(r.Ranges)) {
		if i > 0 {
			text.WriteByte(',')
		}
		line, err := json.Marshal(r.Ranges[name])
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "\n%q: %s", name, line)
	}
	text.WriteString("\n}\n}\n")
	return writeFile(path, text.Bytes())
}
