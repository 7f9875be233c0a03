package backend

import (
	"context"
	"sync"
	"time"
)

// users counts the leases on a process, bounds the runs at a time, and signals
// when the last lease has been released.
type users struct {
	slots chan struct{}

	mu      sync.Mutex
	count   int
	retired bool          // accepts no new users
	used    time.Time     // when the last one left
	empty   chan struct{} // closed when retired and without users
}

func newUsers(runs int) *users {
	return &users{slots: make(chan struct{}, runs), empty: make(chan struct{}), used: time.Now()}
}

// hold keeps the process from being stopped until release. It is false for a
// retired one.
func (u *users) hold() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.retired {
		return false
	}
	u.count++
	return true
}

func (u *users) release() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.count--
	u.used = time.Now()
	if u.count == 0 && u.retired {
		close(u.empty)
	}
}

// slot waits for a free slot; the caller frees it by reading from slots.
func (u *users) slot(ctx context.Context) error {
	select {
	case u.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retire accepts no new users; empty is closed when the last user has left.
func (u *users) retire() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.retired {
		return
	}
	u.retired = true
	if u.count == 0 {
		close(u.empty)
	}
}

// idle returns how long nobody has used the process; 0 while somebody does.
func (u *users) idle() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count > 0 {
		return 0
	}
	return time.Since(u.used)
}
