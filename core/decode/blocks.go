package decode

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// A block is what is worked on at a time. Turned on its side, one of 16 rows
// writes runs of one cache line; of very wide pictures a block has fewer, so that
// its scratch space stays small.
const (
	mostBlockRows = 16
	blockPixels   = 1 << 17
)

func blockRows(width int) int { return min(mostBlockRows, max(1, blockPixels/width)) }

// rasterMemory is what all cores together need for their blocks.
func rasterMemory(width, height int) int64 {
	rows := min(blockRows(width), height)
	blocks := min(runtime.GOMAXPROCS(0), (height+rows-1)/rows)
	const perPixel = 4 + 8 + 8 // in eight bits, in sixteen, and the rows of chroma
	return perPixel * int64(width) * int64(rows) * int64(blocks)
}

// inBlocks runs work on all rows, a block at a time, on all cores, and says
// whether it answered true everywhere. Each goroutine makes its own worker.
// It stops early when the context is done or a worker panics.
func inBlocks(ctx context.Context, width, height int, worker func() func(lo, hi int) bool) (bool, error) {
	var (
		next, failed atomic.Int64
		wait         sync.WaitGroup
		once         sync.Once
		firstErr     error
	)
	rows := blockRows(width)
	blocks := int64((height + rows - 1) / rows)
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
				lo := int(b) * rows
				if !work(lo, min(lo+rows, height)) {
					failed.Add(1)
				}
			}
		})
	}
	wait.Wait()
	return failed.Load() == 0, firstErr
}
