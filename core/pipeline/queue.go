package pipeline

import (
	"context"
	"sync"
	"time"
)

// Queue admits jobs: a limited number runs, a limited number waits, and the rest
// are refused at once. Owners take turns: the one served longest ago is next, with
// the oldest of its jobs. No owner has more than
//
//   - all workers but one,
//   - two jobs that run or whose result is not sent yet, and
//   - a quarter of the places to wait,
//
// so that there is always a worker, memory and a place for others. Jobs that run give
// way to those of owners with fewer jobs; see stretch. None of this applies to jobs
// without an owner.
type Queue struct {
	mu       sync.Mutex
	workers  int
	capacity int
	working  int
	done     uint64
	waiting  []*ticket // in the order they came
	owners   map[string]*owner
	turns    uint64        // turns given so far
	typical  time.Duration // smoothed time that a job runs

	stages stretch // from decoding to the result
	runs   stretch // of the model, which all jobs share even where there are many cores
}

// mostAtOnce is how many jobs of one owner may run or hold an unsent result.
const mostAtOnce = 2

// owner is the sender of some of the jobs; it is forgotten with the last of them.
type owner struct {
	waiting, working, unsent int
	served                   uint64 // its latest turn; 0 for none
}

type ticket struct {
	admitted chan struct{} // closed when it is this job's turn
	owner    string
	place    func(ahead int)
}

// NewQueue returns a queue in which at most workers jobs run and capacity jobs
// wait.
func NewQueue(workers, capacity int) *Queue {
	q := &Queue{workers: max(1, workers), capacity: max(0, capacity), owners: map[string]*owner{}, typical: time.Second}
	q.stages = stretch{queue: q, members: map[*member]struct{}{}}
	q.runs = stretch{queue: q, members: map[*member]struct{}{}, always: true}
	return q
}

// Resize changes both numbers; jobs already admitted stay.
func (q *Queue) Resize(workers, capacity int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.workers, q.capacity = max(1, workers), max(0, capacity)
	q.advance()
}

// Enter waits for the job's turn and returns a function to call when the job is
// over. While it waits, place is called with the number of jobs ahead, at once and
// at each change; it must not block. Codes: Busy with RetryAfter if the queue, or
// its owner's share of it, is full; Canceled or Timeout if ctx ends first.
func (q *Queue) Enter(ctx context.Context, from string, place func(ahead int)) (leave func(), err error) {
	q.mu.Lock()
	o := q.of(from)
	t := &ticket{admitted: make(chan struct{}), owner: from, place: place}
	o.waiting++
	q.waiting = append(q.waiting, t)
	q.advance()
	if !t.isAdmitted() && (len(q.waiting) > q.capacity || from != "" && o.waiting > max(1, q.capacity/4)) {
		defer q.mu.Unlock()
		q.remove(len(q.waiting) - 1)
		q.forget(from)
		return nil, q.busy()
	}
	q.mu.Unlock()

	select {
	case <-t.admitted:
		return q.leave(from, time.Now()), nil
	case <-ctx.Done():
		q.abandon(t)
		return nil, ctx.Err()
	}
}

// Unsent counts a result against its owner's share until sent is called.
func (q *Queue) Unsent(from string) (sent func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.of(from).unsent++
	return sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.of(from).unsent--
		q.forget(from)
		q.advance()
	})
}

// Load returns how many jobs run and how many wait.
func (q *Queue) Load() (working, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.working, len(q.waiting)
}

// Done returns the number of finished jobs.
func (q *Queue) Done() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.done
}

// Full reports whether the next job would be refused.
func (q *Queue) Full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.working >= q.workers && len(q.waiting) >= q.capacity
}

// Busy is the error for a job that finds no place or no time.
func (q *Queue) Busy() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.busy()
}

func (q *Queue) leave(from string, entered time.Time) func() {
	return sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.typical = (7*q.typical + time.Since(entered)) / 8
		q.done++
		q.end(from)
	})
}

// abandon removes a job that no longer waits; if it was admitted at the same
// moment, it passes its turn on.
func (q *Queue) abandon(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.isAdmitted() {
		q.end(t.owner)
		return
	}
	for i, other := range q.waiting {
		if other == t {
			q.remove(i)
			break
		}
	}
	q.forget(t.owner)
	q.advance()
}

func (t *ticket) isAdmitted() bool {
	select {
	case <-t.admitted:
		return true
	default:
		return false
	}
}
