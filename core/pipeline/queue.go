package pipeline

import (
	"context"
	"sync"
	"time"

	"bgremover.pro/core/cutout"
)

// Queue admits jobs: so many at work, so many waiting in the order they came,
// the rest sent away at once.
type Queue struct {
	mu       sync.Mutex
	workers  int
	capacity int
	working  int
	done     uint64
	waiting  []*ticket
	typical  time.Duration // smoothed time of one job at work
}

type ticket struct {
	admitted chan struct{} // closed when it is this job's turn
	place    func(ahead int)
}

// NewQueue returns a queue for so many jobs at work and so many waiting.
func NewQueue(workers, capacity int) *Queue {
	return &Queue{workers: max(1, workers), capacity: max(0, capacity), typical: time.Second}
}

// Resize changes both numbers; jobs already admitted stay.
func (q *Queue) Resize(workers, capacity int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.workers, q.capacity = max(1, workers), max(0, capacity)
	q.advance()
}

// Enter waits for the job's turn and returns what must be called when the job
// is over. While it waits, place is told how many jobs are ahead, at once and
// at each change; it must not block. Codes: Busy with RetryAfter when the
// queue is full; Canceled or Timeout when ctx ends first.
func (q *Queue) Enter(ctx context.Context, place func(ahead int)) (leave func(), err error) {
	q.mu.Lock()
	if q.working >= q.workers && len(q.waiting) >= q.capacity {
		defer q.mu.Unlock()
		return nil, &cutout.Error{
			Code:       cutout.Busy,
			Message:    "Too many photos are being worked on right now. Please try again in a moment.",
			RetryAfter: q.retryAfter(),
		}
	}
	t := &ticket{admitted: make(chan struct{}), place: place}
	q.waiting = append(q.waiting, t)
	q.advance()
	q.mu.Unlock()

	select {
	case <-t.admitted:
		return q.leave(time.Now()), nil
	case <-ctx.Done():
		q.abandon(t)
		return nil, ctx.Err()
	}
}

// Load says how many jobs are at work and how many wait.
func (q *Queue) Load() (working, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.working, len(q.waiting)
}

// Done counts the jobs that are over.
func (q *Queue) Done() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.done
}

// Full says whether the next job would be sent away.
func (q *Queue) Full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.working >= q.workers && len(q.waiting) >= q.capacity
}

func (q *Queue) leave(entered time.Time) func() {
	return sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.typical = (7*q.typical + time.Since(entered)) / 8
		q.working--
		q.done++
		q.advance()
	})
}

// abandon takes a job out that no longer waits; one admitted at the same
// moment gives its turn on.
func (q *Queue) abandon(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-t.admitted:
		q.working--
	default:
		for i, other := range q.waiting {
			if other == t {
				q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
				break
			}
		}
	}
	q.advance()
}

// advance admits whose turn it is and tells the others their place.
// The caller holds the lock.
func (q *Queue) advance() {
	for q.working < q.workers && len(q.waiting) > 0 {
		close(q.waiting[0].admitted)
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
		q.working++
	}
	for ahead, t := range q.waiting {
		t.place(ahead)
	}
}

// retryAfter estimates when a place is free; whole seconds, at least one.
// The caller holds the lock.
func (q *Queue) retryAfter() time.Duration {
	wait := q.typical * time.Duration(len(q.waiting)+1) / time.Duration(q.workers)
	return max(time.Second, wait.Round(time.Second))
}
