package decode

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// blockRows is how many rows are worked on at a time: turned on its side, a
// block writes runs of one cache line.
const blockRows = 16

// inBlocks runs work on all rows, a block at a time, on all cores, and says
// whether it answered true everywhere. Each goroutine makes its own worker.
// It stops early when the context is done or a worker panics.
func inBlocks(ctx context.Context, height int, worker func() func(lo, hi int) bool) (bool, error) {
	var (
		next, failed atomic.Int64
		wait         sync.WaitGroup
		once         sync.Once
		firstErr     error
	)
	blocks := int64((height + blockRows - 1) / blockRows)
	fail := func(err error) {
		once.Do(func() { firstErr = err })
		next.Store(blocks)
	}
	for range min(int64(runtime.GOMAXPROCS(0)), blocks) {
		wait.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					fail(fmt.Errorf("panic: %v", p))
				}
			}()
			work := worker()
			for b := next.Add(1) - 1; b < blocks; b = next.Add(1) - 1 {
				if err := ctx.Err(); err != nil {
					fail(err)
					return
				}
				lo := int(b) * blockRows
				if !work(lo, min(lo+blockRows, height)) {
					failed.Add(1)
				}
			}
		})
	}
	wait.Wait()
	return failed.Load() == 0, firstErr
}
