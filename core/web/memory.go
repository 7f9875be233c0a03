package web

import (
	"io"

	"golang.org/x/sync/semaphore"

	"bgremover.pro/core/cutout"
)

// firstPiece is what an upload's buffer starts with, in bytes.
const firstPiece = 256 << 10

// lease is one request's share of the memory for uploads. It grows with what
// has really come: a request cannot hold memory by announcing a large body.
type lease struct {
	pool *semaphore.Weighted
	held int64
}

func (l *lease) grow(n int64) bool {
	if !l.pool.TryAcquire(n) {
		return false
	}
	l.held += n
	return true
}

func (l *lease) release() {
	l.pool.Release(l.held)
	l.held = 0
}

// read reads one photo of at most limit bytes. It returns too_large beyond
// that, busy where the memory is used up, and the reader's own errors.
func (l *lease) read(r io.Reader, limit int64) ([]byte, error) {
	var data []byte
	for {
		if len(data) == cap(data) {
			// One byte beyond the limit shows that it is passed.
			size := min(max(2*int64(cap(data)), firstPiece), limit+1)
			if int64(len(data)) > limit {
				return nil, tooLarge(limit)
			}
			if !l.grow(size - int64(cap(data))) {
				return nil, errCrowded
			}
			data = append(make([]byte, 0, size), data...)
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, tooLarge(limit)
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, err
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
