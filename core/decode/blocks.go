package decode

import (
	"context"
	"runtime"
	"sync/atomic"

	"bgremover.pro/core/cutout"
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

// inBlocks runs work on all rows, a block at a time, and says whether it answered
// true everywhere.
func inBlocks(ctx context.Context, width, height int, worker func() func(lo, hi int) bool) (bool, error) {
	var failed atomic.Bool
	err := cutout.Workers(ctx, height, blockRows(width), func() func(lo, hi int) error {
		work := worker()
		return func(lo, hi int) error {
			if !work(lo, hi) {
				failed.Store(true)
			}
			return nil
		}
	})
	return !failed.Load(), err
}
