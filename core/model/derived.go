package model

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

// deriving changes whenever graphs are derived differently, so that those of older
// versions are made again.
const deriving = 3

// Derived says which graphs run a model fastest on this machine's processor, and
// how that was measured. It is the manifest of a folder in models/derived.
type Derived struct {
	Model string `json:"model"`
	// The choice depends on these.
	SHA256   string `json:"sha256"` // of the installed file
	Runtime  string `json:"runtime"`
	CPU      string `json:"cpu"`
	Deriving int    `json:"deriving"`
	// Graphs has one for each input size, smallest first; none if Reason
	// says why only the installed file serves.
	Graphs []DerivedGraph `json:"graphs,omitempty"`
	Reason string         `json:"reason,omitempty"`
	// DeviceUnfit says why visitors' devices cannot run the integer graphs; empty if they can.
	DeviceUnfit string                 `json:"deviceUnfit,omitempty"`
	Trials      []contract.DeriveTrial `json:"trials,omitempty"`
}

// DerivedGraph is one file next to the manifest, or the installed one.
type DerivedGraph struct {
	Size      int    `json:"size"`
	Precision string `json:"precision"`
	File      string `json:"file,omitempty"` // empty: the installed file
	SHA256    string `json:"sha256,omitempty"`
}

// Derived returns what was derived from an installed model for this machine. It is
// an error if nothing was derived yet, or the model is not installed.
func (s *Store) Derived(name string) (Derived, error) {
	m, err := s.Original(name)
	if err != nil {
		return Derived{}, err
	}
	dir, _ := s.derivedDir(m)
	return readDerived(dir)
}

func readDerived(dir string) (Derived, error) {
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return Derived{}, err
	}
	var d Derived
	if err := json.Unmarshal(text, &d); err != nil {
		return Derived{}, fmt.Errorf("the manifest of the derived graphs cannot be read: %w", err)
	}
	return d, nil
}

// derivedDir returns the folder of a model's graphs for this machine. Its name
// holds everything that the choice among them depends on.
func (s *Store) derivedDir(m cutout.Model) (dir string, of Derived) {
	of = Derived{Model: m.Name, SHA256: m.Variants[0].SHA256, CPU: processor(), Deriving: deriving}
	if r, err := s.runtimeEntry("cpu"); err == nil {
		of.Runtime = r.Version
	}
	_, ranges, _ := s.ranges(m.Name, of.SHA256)
	spec, _ := json.Marshal([]any{m.Input, m.Output, m.Scale, m.Mean, m.Std, m.Post, m.Variants[0].Size})
	sum := sha256.New()
	for _, part := range []string{of.SHA256, of.Runtime, of.CPU, fmt.Sprint(of.Deriving), string(ranges), string(spec)} {
		fmt.Fprintf(sum, "%d:%s\n", len(part), part)
	}
	key := m.Name + "-" + hex.EncodeToString(sum.Sum(nil))[:12]
	return filepath.Join(s.dir, "models", "derived", key), of
}

// processor identifies the processor by what decides its speed.
func processor() string {
	return runtime.GOARCH + " " + cpuid.CPU.BrandName + " " + strings.Join(cpuid.CPU.FeatureSet(), ",")
}

// Installed returns an installed model with the graphs that run fastest on this
// machine's processor: those derived from it, if there are any and they are intact,
// then the file as published, which is what a GPU runs.
// Codes: as of Original.
func (s *Store) Installed(name string) (cutout.Model, error) {
	m, err := s.Original(name)
	if err != nil {
		return cutout.Model{}, err
	}
	dir, _ := s.derivedDir(m)
	derived, err := readDerived(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(derived.Graphs) == 0 {
		return m, nil
	}
	var variants []cutout.Variant
	if err == nil {
		variants, err = s.variants(dir, derived, m.Variants[0])
	}
	if err != nil {
		if s.Log != nil {
			s.Log.Warn("a model's faster graphs cannot be used; the installed file serves", "model", name, "error", err)
		}
		return m, nil
	}
	m.Variants = variants
	return m, nil
}

func (s *Store) variants(dir string, derived Derived, installed cutout.Variant) ([]cutout.Variant, error) {
	var variants []cutout.Variant
	for _, g := range derived.Graphs {
		if g.File == "" {
			continue
		}
		path := filepath.Join(dir, filepath.Base(g.File))
		if !sha256Of.MatchString(g.SHA256) {
			return nil, errors.New("the manifest of the derived graphs lacks a checksum")
		}
		if err := s.intact(path, Content{SHA256: g.SHA256}); err != nil {
			return nil, err
		}
		variants = append(variants, cutout.Variant{Size: g.Size, File: path, Precision: g.Precision})
	}
	variants = append(variants, installed)
	slices.SortStableFunc(variants, func(a, b cutout.Variant) int { return cmp.Compare(a.Size, b.Size) })
	return variants, nil
}
