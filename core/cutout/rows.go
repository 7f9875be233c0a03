package cutout

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// stripRows is how many rows one processor takes at a time: few enough that the
// load evens out and a context's end is noticed soon.
const stripRows = 16

// Rows is Strips with strips of the usual height.
func Rows(ctx context.Context, height int, do func(from, to int)) error {
	return Strips(ctx, height, stripRows, do)
}

// Strips calls do for strips of so many rows that together cover 0 to height, on
// all processors in parallel, until all are done or the context ends; it returns
// the context's error. The strips do not depend on the number of processors. A
// panic in do is raised again in the caller, which may recover from it.
func Strips(ctx context.Context, height, rows int, do func(from, to int)) error {
	return Workers(ctx, height, rows, func() func(from, to int) error {
		return func(from, to int) error { do(from, to); return nil }
	})
}

// Workers is Strips where each goroutine makes a worker of its own, with its scratch
// space, and the first error of one ends the work.
func Workers(ctx context.Context, height, rows int, worker func() func(from, to int) error) error {
	var next atomic.Int64
	var panicked atomic.Pointer[any]
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := func() {
		defer func() {
			if p := recover(); p != nil {
				panicked.Store(&p)
			}
		}()
		do := worker()
		for working.Err() == nil {
			from := int(next.Add(int64(rows))) - rows
			if from >= height {
				return
			}
			if err := do(from, min(from+rows, height)); err != nil {
				cancel(err)
			}
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (height+rows-1)/rows) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	if p := panicked.Load(); p != nil {
		panic(*p)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.Cause(working)
}
