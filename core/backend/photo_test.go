package backend

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"slices"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/pipeline"
)

// between does something after the first size of each photo.
type between struct {
	*Manager
	then func()
}

type interrupted struct {
	cutout.Lease
	then func()
}

func (b between) Acquire(ctx context.Context, backend, model string) (cutout.Lease, error) {
	lease, err := b.Manager.Acquire(ctx, backend, model)
	return &interrupted{lease, b.then}, err
}

func (i *interrupted) Segment(ctx context.Context, in *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	defer func() { i.then(); i.then = func() {} }()
	return i.Lease.Segment(ctx, in)
}

// TestPhoto: one photo passes the whole pipeline, and between its sizes the
// backend is switched, or killed.
func TestPhoto(t *testing.T) {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	for name, then := range map[string]func(*testing.T, *Manager){
		"switch": func(t *testing.T, m *Manager) {
			if err := m.Switch(soon(t), "two"); err != nil {
				t.Error(err)
			}
		},
		"kill": func(t *testing.T, m *Manager) { kill(t, m, "one") },
	} {
		t.Run(name, func(t *testing.T) {
			o := patient(t, fake("one"), fake("two"))
			o.Active = "one"
			m := started(t, o)
			line := pipeline.New(between{m, func() { then(t, m) }}, pipeline.NewQueue(1, 1), 1<<30, pipeline.Settings{
				Decode: decode.Limits{MaxPixels: 1 << 20, MaxMemory: 1 << 30}, Timeout: time.Minute,
			})
			result, err := line.Remove(soon(t), cutout.Job{Upload: file.Bytes(), Options: cutout.Options{Mode: cutout.Best}})
			if err != nil {
				t.Fatal(err)
			}
			if run := result.Run; run.Backend != "one" || !slices.Equal(run.Sizes, []int{32, 64, 64}) {
				t.Errorf("%+v", run)
			}
		})
	}
}
