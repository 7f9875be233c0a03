package mask

import (
	"runtime"
	"sync"
)

// bandRows is how many rows one goroutine takes at a time: enough that the rows
// shared by two bands cost little, few enough that the load evens out.
const bandRows = 64

// inBands calls do for bands of rows that cover 0 to height, on all processors,
// and returns when every band is done.
func inBands(height int, do func(from, to int)) {
	bands := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (height+bandRows-1)/bandRows) {
		workers.Go(func() {
			for from := range bands {
				do(from, min(from+bandRows, height))
			}
		})
	}
	for from := 0; from < height; from += bandRows {
		bands <- from
	}
	close(bands)
	workers.Wait()
}
