package sandbox

import "sync/atomic"

// The memory of all processes is outside Go's heap, where the garbage
// collector cannot see it. Watch tells the code that keeps both under one limit.

// step is how much has to change for the watcher to be called, in bytes.
const step = 16 << 20

var (
	inUse   atomic.Int64
	seen    atomic.Int64
	watcher atomic.Pointer[func()]
)

// InUse is the memory that all processes have asked for so far, in bytes.
func InUse() int64 { return inUse.Load() }

// Watch registers f to be called when InUse has changed by a step. It runs on the
// goroutine that caused the change, possibly on several at once.
func Watch(f func()) { watcher.Store(&f) }

func account(change int64) {
	now := inUse.Add(change)
	last := seen.Load()
	if d := now - last; -step < d && d < step || !seen.CompareAndSwap(last, now) {
		return
	}
	if f := watcher.Load(); f != nil {
		(*f)()
	}
}
