package web

import (
	"io"
	"sync"

	"bgremover.pro/core/cutout"
)

// firstPiece is what an upload's buffer starts with, in bytes.
const firstPiece = 256 << 10

// pool is the memory for all uploads. No owner has more than a quarter of it, or
// one photo if that is more.
type pool struct {
	size int64

	mu     sync.Mutex
	held   int64
	owners map[string]int64
}

func newPool(size int64) *pool { return &pool{size: size, owners: map[string]int64{}} }

// take takes n bytes, or returns why it cannot. one is the most that a photo may
// take.
func (p *pool) take(owner string, n, one int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.held+n > p.size:
		return errCrowded
	case p.owners[owner]+n > max(p.size/4, one):
		return errShare
	}
	p.held += n
	p.owners[owner] += n
	return nil
}

func (p *pool) give(owner string, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held -= n
	if p.owners[owner] -= n; p.owners[owner] == 0 {
		delete(p.owners, owner)
	}
}

// lease is one request's part of the memory for uploads. It grows with what has
// really arrived: a request cannot hold memory by declaring a large body.
type lease struct {
	pool  *pool
	owner string
	held  int64
}

// drop gives back the memory of a photo that is finished.
func (l *lease) drop(data []byte) {
	n := int64(cap(data))
	l.held -= n
	l.pool.give(l.owner, n)
}

func (l *lease) release() {
	l.pool.give(l.owner, l.held)
	l.held = 0
}

// read reads one photo of at most limit bytes. It returns too_large beyond that,
// busy if the memory is used up, and the reader's own errors.
func (l *lease) read(r io.Reader, limit int64) (data []byte, err error) {
	defer func() {
		if err != nil {
			l.drop(data)
			data = nil
		}
	}()
	for {
		if len(data) == cap(data) {
			// One byte beyond the limit shows that it is exceeded.
			size := min(max(2*int64(cap(data)), firstPiece), limit+1)
			more := size - int64(cap(data))
			if err := l.pool.take(l.owner, more, limit+1); err != nil {
				return data, err
			}
			l.held += more
			data = append(make([]byte, 0, size), data...)
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return data, tooLarge(limit)
		case err == io.EOF:
			return data, nil
		case err != nil:
			return data, err
		}
	}
}

func tooLarge(limit int64) error {
	const mib = 1 << 20
	if limit%mib == 0 {
		return cutout.Errorf(cutout.TooLarge, "The photo is too large: this server takes up to %d MB.", limit/mib)
	}
	return cutout.Errorf(cutout.TooLarge, "The photo is too large: this server takes up to %d bytes.", limit)
}
