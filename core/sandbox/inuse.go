package sandbox

import "sync/atomic"

// The memory of all processes lies outside Go's heap, where the garbage
// collector cannot see it. Whoever keeps the two under one limit is told.

// step is how much has to change for the watcher to be called, in bytes.
const step = 16 << 20

var (
	inUse   atomic.Int64
	told    atomic.Int64
	watcher atomic.Pointer[func()]
)

// InUse is the memory that all processes have asked for so far, in bytes.
func InUse() int64 { return inUse.Load() }

// Watch has f called when that has changed notably. It is called by whoever
// changed it, and may be called by several at once.
func Watch(f func()) { watcher.Store(&f) }

func account(change int64) {
	now := inUse.Add(change)
	last := told.Load()
	if d := now - last; -step < d && d < step || !told.CompareAndSwap(last, now) {
		return
	}
	if f := watcher.Load(); f != nil {
		(*f)()
	}
}
