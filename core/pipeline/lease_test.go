package pipeline_test

import (
	"context"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/decode"
	"bgremover.pro/core/pipeline"
)

// ledger counts the leases acquired and released; after a number of successful
// runs, the rest fail.
type ledger struct {
	doubtful
	acquired, released, runs, works int
	backend, model                  string
}

func (l *ledger) Acquire(_ context.Context, backend, model string) (cutout.Lease, error) {
	l.acquired++
	l.backend, l.model = backend, model
	return l, nil
}

func (l *ledger) Release() { l.released++ }

func (l *ledger) Segment(ctx context.Context, in *cutout.Input) (*cutout.Mask, cutout.Run, error) {
	if l.released > 0 {
		return nil, cutout.Run{}, cutout.Errorf(cutout.Internal, "the lease is over")
	}
	if l.runs++; l.runs > l.works {
		return nil, cutout.Run{}, cutout.Errorf(cutout.Internal, "as asked")
	}
	return l.doubtful.Segment(ctx, in)
}

// TestOneLease: all sizes of a photo run on one lease, which is released once,
// whether they succeed or not.
func TestOneLease(t *testing.T) {
	photo := filled(t, 96, 96, green)
	for works, want := range map[int]cutout.Code{0: cutout.Internal, 1: cutout.Internal, 2: cutout.Internal, 3: ""} {
		backend := &ledger{doubtful: doubtful{32: 0.05, 64: 0.05, 96: 0.05}, works: works}
		line := pipeline.New(backend, pipeline.NewQueue(1, 1), 1<<30, pipeline.Settings{
			Decode: decode.Limits{MaxPixels: 1 << 20, MaxMemory: 1 << 30}, Timeout: time.Minute,
		})
		_, err := line.Remove(t.Context(), cutout.Job{Upload: photo, Options: cutout.Options{Mode: cutout.Best, Backend: "one", Model: "first"}})
		if cutout.CodeOf(err) != want {
			t.Errorf("after %d runs: %v", works, err)
		}
		if backend.acquired != 1 || backend.released != 1 || backend.runs != min(works+1, 3) {
			t.Errorf("after %d runs: %d leases, %d given back, %d runs", works, backend.acquired, backend.released, backend.runs)
		}
		if backend.backend != "one" || backend.model != "first" {
			t.Errorf("asked for %q and %q", backend.backend, backend.model)
		}
	}
}
