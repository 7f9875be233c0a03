package refine

import (
	"context"
	"runtime"
	"sync"
)

// inRows calls do for every row from 0 to height, on all processors, until the
// context ends; it returns the context's error. Rows never depend on each other,
// so neither does the result on the number of processors.
func inRows(ctx context.Context, height int, do func(y int)) error {
	rows := make(chan [2]int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for r := range rows {
				for y := r[0]; y < r[1]; y++ {
					do(y)
				}
			}
		})
	}
	const strip = 16
	for y := 0; y < height && ctx.Err() == nil; y += strip {
		rows <- [2]int{y, min(y+strip, height)}
	}
	close(rows)
	workers.Wait()
	return ctx.Err()
}
