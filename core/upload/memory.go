package upload

import (
	"io"
	"sync"
	"time"

	"bgremover.pro/core/cutout"
)

// firstPiece is what an upload's buffer starts with, in bytes.
const firstPiece = 256 << 10

var (
	errShare   = &cutout.Error{Code: cutout.Busy, Message: "Your uploads already use as much of this server's memory as one visitor may. Try again when some of them are done.", RetryAfter: 5 * time.Second}
	errCrowded = &cutout.Error{Code: cutout.Busy, Message: "The server cannot take more uploads right now. Try again in a few seconds.", RetryAfter: 5 * time.Second}
)

// Memory is the memory for all uploads. No owner has more than a quarter of it, or
// one file if that is more.
type Memory struct {
	size int64

	mu     sync.Mutex
	held   int64
	owners map[string]int64
}

// NewMemory returns a budget of size bytes.
func NewMemory(size int64) *Memory { return &Memory{size: size, owners: map[string]int64{}} }

// take reserves n bytes, or returns why it cannot. one is the most that a file may take.
func (m *Memory) take(owner string, n, one int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.held+n > m.size:
		return errCrowded
	case m.owners[owner]+n > max(m.size/4, one):
		return errShare
	}
	m.held += n
	m.owners[owner] += n
	return nil
}

func (m *Memory) give(owner string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held -= n
	if m.owners[owner] -= n; m.owners[owner] == 0 {
		delete(m.owners, owner)
	}
}

func (r *Request) give(n int64) {
	r.held -= n
	r.service.Memory.give(r.Owner, n)
}

// drop gives back a photo's memory.
func (r *Request) drop(p *Photo) {
	r.give(int64(cap(p.Data)))
	p.Data = nil
}

// read reads one file. It returns too_large beyond the limit, busy if the memory is
// used up, and the reader's own errors. What the request holds grows with what has
// really arrived: it cannot hold memory by declaring a large body.
func (r *Request) read(from io.Reader) (data []byte, err error) {
	defer func() {
		if err != nil {
			r.give(int64(cap(data)))
			data = nil
		}
	}()
	for {
		if len(data) == cap(data) {
			// One byte beyond the limit shows that it is exceeded.
			size := min(max(2*int64(cap(data)), firstPiece), r.MaxUpload+1)
			more := size - int64(cap(data))
			if err := r.service.Memory.take(r.Owner, more, r.MaxUpload+1); err != nil {
				return data, err
			}
			r.held += more
			data = append(make([]byte, 0, size), data...)
		}
		n, err := from.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > r.MaxUpload:
			return data, TooLarge(r.MaxUpload)
		case err == io.EOF:
			return data, nil
		case err != nil:
			return data, err
		}
	}
}

// TooLarge is the error of a file of more than limit bytes.
func TooLarge(limit int64) error {
	const mib = 1 << 20
	if limit%mib == 0 {
		return cutout.Errorf(cutout.TooLarge, "The photo is too large: this server takes up to %d MB.", limit/mib)
	}
	return cutout.Errorf(cutout.TooLarge, "The photo is too large: this server takes up to %d bytes.", limit)
}
