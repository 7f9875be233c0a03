package backend

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errRetired says that a process takes no more work; another one may.
var errRetired = errors.New("the process is being retired")

// leases counts who uses a process, bounds the runs at a time, and tells when
// the last user has left.
type leases struct {
	slots   chan struct{}
	retired chan struct{} // closed: nobody new

	mu    sync.Mutex
	users int
	used  time.Time     // when the last user left
	empty chan struct{} // closed when retired and without users
}

func newLeases(runs int) *leases {
	return &leases{slots: make(chan struct{}, runs), retired: make(chan struct{}), empty: make(chan struct{}), used: time.Now()}
}

// hold keeps the process from being stopped until release. It is false for a
// retired one.
func (l *leases) hold() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isRetired() {
		return false
	}
	l.users++
	return true
}

func (l *leases) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users--
	l.used = time.Now()
	if l.users == 0 && l.isRetired() {
		close(l.empty)
	}
}

// slot waits for the turn to run; the caller gives it back by reading slots.
// It ends early with errRetired, so that waiting runs move to the successor.
func (l *leases) slot(ctx context.Context) error {
	select {
	case l.slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-l.retired:
		return errRetired
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retire lets nobody new in; empty is closed when the last user has left.
func (l *leases) retire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isRetired() {
		return
	}
	close(l.retired)
	if l.users == 0 {
		close(l.empty)
	}
}

func (l *leases) isRetired() bool {
	select {
	case <-l.retired:
		return true
	default:
		return false
	}
}

// idle returns how long nobody has used the process; 0 while somebody does.
func (l *leases) idle() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users > 0 {
		return 0
	}
	return time.Since(l.used)
}
