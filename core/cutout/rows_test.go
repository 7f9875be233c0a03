package cutout_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"bgremover.pro/core/cutout"
)

func TestRowsCoverEachRowOnce(t *testing.T) {
	for _, height := range []int{0, 1, 15, 16, 17, 1000} {
		seen := make([]int, height)
		err := cutout.Rows(t.Context(), height, func(from, to int) {
			for y := from; y < to; y++ {
				seen[y]++
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		for y, n := range seen {
			if n != 1 {
				t.Errorf("of %d rows, row %d was visited %d times", height, y, n)
			}
		}
	}
}

func TestRowsStopWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := cutout.Rows(ctx, 1<<20, func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRowsPassOnAPanic(t *testing.T) {
	defer func() {
		if p := recover(); p != "broken row" {
			t.Errorf("recovered %v", p)
		}
	}()
	_ = cutout.Rows(t.Context(), 1000, func(from, _ int) {
		if from > 500 {
			panic("broken row")
		}
	})
	t.Error("the panic was lost")
}

// Each goroutine has a worker of its own, and the first error ends the work.
func TestWorkersStopAtAnError(t *testing.T) {
	broken := errors.New("broken strip")
	var strips atomic.Int64
	err := cutout.Workers(t.Context(), 1<<20, 1, func() func(from, to int) error {
		busy := false // a race if two goroutines shared it
		return func(from, _ int) error {
			busy = !busy
			strips.Add(1)
			if from == 100 {
				return broken
			}
			return nil
		}
	})
	if !errors.Is(err, broken) || strips.Load() == 1<<20 {
		t.Errorf("%v after %d strips", err, strips.Load())
	}
}
