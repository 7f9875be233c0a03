package model

import (
	"context"
	"os"
	"path/filepath"

	"bgremover.pro/core/cutout"
)

// Remove deletes an installed model of the catalogue and the graphs derived from it.
// A process that has one open keeps it until it ends. Codes: Invalid (unknown, not
// installed, or the operator's own, which could not be pulled again), Canceled,
// Internal.
func (s *Store) Remove(ctx context.Context, name string) error {
	e, err := s.Entry(name)
	if err != nil {
		return err
	}
	file := s.modelFile(e)
	if e.Own {
		return cutout.Errorf(cutout.Invalid, "%s is your own model: delete %s and its description by hand.", name, file)
	}
	for _, work := range []string{"pull", "derive"} {
		unlock, err := s.lock(ctx, work)
		if err != nil {
			return explain(ctx, s.dir, err)
		}
		defer unlock()
	}
	if sizeOf(file) == 0 {
		return cutout.Errorf(cutout.Invalid, "%s is not installed.", name)
	}
	if err := os.Remove(file); err != nil {
		return explain(ctx, s.dir, err)
	}
	derived, _ := filepath.Glob(filepath.Join(s.dir, "models", "derived", name+"-*"))
	for _, dir := range derived {
		if d, err := readDerived(dir); err == nil && d.Model == name {
			_ = os.RemoveAll(dir) // it only costs space
		}
	}
	return nil
}
