package ort

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"bgremover.pro/core/cutout"
)

// model is a loaded model. Runs hold its lock for reading, so that it is not
// freed under them.
type model struct {
	spec     cutout.Model
	sessions map[int]*session // by size

	lock   sync.RWMutex
	closed bool
}

// newModel makes every variant of a model ready. Codes: Invalid,
// BackendUnavailable, Canceled, Timeout.
func (b *Backend) newModel(ctx context.Context, spec cutout.Model) (*model, error) {
	m := &model{spec: spec, sessions: map[int]*session{}}
	err := shareArena(func() error {
		for _, v := range chosen(spec.Variants, b.provider.Floats) {
			s, err := b.newVariant(ctx, spec, v)
			if err != nil {
				return err
			}
			m.sessions[v.Size] = s
		}
		return nil
	})
	if err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// chosen returns one variant of each size, the first in the list; if floats are
// preferred, those with integers only if there is nothing else.
func chosen(variants []cutout.Variant, floats bool) []cutout.Variant {
	integers := func(v cutout.Variant) bool { return v.Precision == "int8" }
	if floats && !slices.ContainsFunc(variants, func(v cutout.Variant) bool { return !integers(v) }) {
		floats = false
	}
	var all []cutout.Variant
	for _, v := range variants {
		taken := slices.ContainsFunc(all, func(other cutout.Variant) bool { return other.Size == v.Size })
		if unfit := floats && integers(v); !taken && !unfit {
			all = append(all, v)
		}
	}
	return all
}

func (b *Backend) newVariant(ctx context.Context, spec cutout.Model, v cutout.Variant) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file := filepath.Base(v.File)
	if err := check(ctx, v); err != nil {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = &cutout.Error{Code: cutout.Invalid, Err: err,
				Message: "model " + spec.Name + ": its file " + file + " is missing; run `bgremover models pull " + spec.Name + "`"}
		case errors.Is(err, errDamaged):
			err = cutout.Errorf(cutout.Invalid, "model %s: its file %s is not the published one (its sha256 differs); remove it and run `bgremover models pull`", spec.Name, file)
		}
		return nil, err
	}
	options, err := b.sessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }()
	s, err := newSession(spec, v, options, b.options.Concurrency, b.most())
	if e := (*cutout.Error)(nil); err != nil && !errors.As(err, &e) {
		if err = b.explain(err); cutout.CodeOf(err) == cutout.Internal {
			err = cutout.Errorf(cutout.Invalid, "model %s: %s cannot load its file %s: %w", spec.Name, b.runtime, file, errors.Unwrap(err))
		}
	}
	if err == nil && s.alone != nil {
		b.log.Info("pictures run one at a time", "model", spec.Name, "size", v.Size, "why", s.alone)
	}
	return s, err
}

func (b *Backend) sessionOptions() (*ort.SessionOptions, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	set := []error{
		o.SetIntraOpNumThreads(b.options.Threads),
		o.SetInterOpNumThreads(1),
		// Threads that wait for work must not spin: an idle server would take a
		// core, and runs side by side would slow each other.
		o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		// One gigabyte less for ISNet, at the same speed.
		o.SetMemPattern(false),
		// The arena that shareArena made; without one, the session's own.
		o.AddSessionConfigEntry("session.use_env_allocators", "1"),
	}
	if b.provider.Configure != nil {
		set = append(set, b.provider.Configure(o))
	}
	if err := errors.Join(set...); err != nil {
		_ = o.Destroy()
		return nil, err
	}
	return o, nil
}

var errDamaged = errors.New("the checksum does not match")

// check compares a file with its checksum, if there is one.
func check(ctx context.Context, v cutout.Variant) error {
	file, err := os.Open(v.File)
	if err != nil {
		return err
	}
	defer file.Close()
	if v.SHA256 == "" {
		return nil
	}
	hash := sha256.New()
	for buffer := make([]byte, 1<<20); ; {
		n, err := file.Read(buffer)
		hash.Write(buffer[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
	if hex.EncodeToString(hash.Sum(nil)) != v.SHA256 {
		return errDamaged
	}
	return nil
}

// acquire keeps the model from being freed until release; it is false if
// the model is already freed.
func (m *model) acquire() bool {
	m.lock.RLock()
	if m.closed {
		m.lock.RUnlock()
		return false
	}
	return true
}

func (m *model) release() { m.lock.RUnlock() }

// close frees the model as soon as no run holds it.
func (m *model) close() {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.closed = true
	for _, s := range m.sessions {
		s.destroy()
	}
}

func (m *model) sizes() []int { return slices.Sorted(maps.Keys(m.sessions)) }
