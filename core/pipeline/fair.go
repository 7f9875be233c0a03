package pipeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"bgremover.pro/core/cutout"
)

// stretch is a part of the pipeline in which jobs of owners with many jobs give way to
// those of owners with fewer. A step cannot be interrupted, so they do it between
// steps.
type stretch struct {
	queue   *Queue
	always  bool // and not only while all workers are busy
	members map[*member]struct{}
}

// member is a job in a stretch.
type member struct {
	stretch *stretch
	owner   string
	over    chan struct{} // closed when the job leaves or gives way itself; nil while it is not in the stretch
}

// enter has an owner's job enter at its first step. The caller must call leave.
func (s *stretch) enter(owner string) *member { return &member{stretch: s, owner: owner} }

// next waits before another step for the jobs that are in the stretch now and whose owners
// have fewer jobs. It does not wait for jobs that come later, nor for a job that itself
// gives way, so that no job waits forever.
func (m *member) next(ctx context.Context) error {
	ahead := m.giveWay()
	for _, over := range ahead {
		select {
		case <-over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if m.over == nil {
		m.stretch.queue.mu.Lock()
		defer m.stretch.queue.mu.Unlock()
		m.over = make(chan struct{})
		m.stretch.members[m] = struct{}{}
	}
	return nil
}

// giveWay lists what to wait for. If there is something, others no longer wait for
// this job.
func (m *member) giveWay() (ahead []<-chan struct{}) {
	s, q := m.stretch, m.stretch.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if !s.always && q.working < q.workers {
		return nil
	}
	jobs := q.jobs(m.owner)
	for other := range s.members {
		if other.owner != m.owner && q.jobs(other.owner) < jobs {
			ahead = append(ahead, other.over)
		}
	}
	if len(ahead) > 0 {
		m.goOff()
	}
	return ahead
}

// leave ends the job's steps.
func (m *member) leave() {
	m.stretch.queue.mu.Lock()
	defer m.stretch.queue.mu.Unlock()
	m.goOff()
}

func (m *member) goOff() {
	if m.over != nil {
		delete(m.stretch.members, m)
		close(m.over)
		m.over = nil
	}
}

// jobs is how many jobs an owner has; 0 for jobs without one, which never give way.
func (q *Queue) jobs(owner string) int {
	o := q.owners[owner]
	if owner == "" || o == nil {
		return 0
	}
	return o.waiting + o.working + o.unsent
}

// Everything below is called with the queue's lock held.

func (q *Queue) of(from string) *owner {
	o := q.owners[from]
	if o == nil {
		o = &owner{}
		q.owners[from] = o
	}
	return o
}

// forget drops an owner that has no jobs left.
func (q *Queue) forget(from string) {
	if o := q.owners[from]; o.waiting+o.working+o.unsent == 0 {
		delete(q.owners, from)
	}
}

// end ends a running job.
func (q *Queue) end(from string) {
	q.working--
	q.of(from).working--
	q.forget(from)
	q.advance()
}

func (q *Queue) remove(i int) {
	q.of(q.waiting[i].owner).waiting--
	q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
}

// advance admits the jobs whose turn it is and reports their place to the others.
func (q *Queue) advance() {
	for q.working < q.workers {
		i := q.next()
		if i < 0 {
			break
		}
		t := q.waiting[i]
		q.remove(i)
		q.admit(q.of(t.owner))
		q.working++
		close(t.admitted)
	}
	for ahead, t := range q.order() {
		t.place(ahead)
	}
}

func (q *Queue) admit(o *owner) {
	q.turns++
	o.served = q.turns
	o.working++
}

// next is the index in waiting of the job whose turn it is; -1 if there is none, or
// if all of them belong to owners that have used up their share.
func (q *Queue) next() int {
	best, served := -1, uint64(0)
	for i, t := range q.waiting {
		o := q.of(t.owner)
		if t.owner != "" && (o.working >= max(1, q.workers-1) || o.working+o.unsent >= mostAtOnce) {
			continue
		}
		// Jobs without an owner count as never served.
		if last := lastServed(t, o); best < 0 || last < served {
			best, served = i, last
		}
	}
	return best
}

func lastServed(t *ticket, o *owner) uint64 {
	if t.owner == "" {
		return 0
	}
	return o.served
}

// order is the expected order of the waiting jobs: each owner's first job, then
// each owner's second, and so on.
func (q *Queue) order() []*ticket {
	type next struct {
		*ticket
		round  int
		served uint64
	}
	turns, rounds := make([]next, len(q.waiting)), map[string]int{}
	for i, t := range q.waiting {
		turns[i] = next{t, rounds[t.owner], lastServed(t, q.of(t.owner))}
		if t.owner != "" {
			rounds[t.owner]++
		}
	}
	slices.SortStableFunc(turns, func(a, b next) int {
		return cmp.Or(cmp.Compare(a.round, b.round), cmp.Compare(a.served, b.served))
	})
	ordered := make([]*ticket, len(turns))
	for i, t := range turns {
		ordered[i] = t.ticket
	}
	return ordered
}

func (q *Queue) busy() error {
	return &cutout.Error{
		Code:       cutout.Busy,
		Message:    "Too many photos are being processed right now. Please try again in a moment.",
		RetryAfter: q.retryAfter(),
	}
}

// retryAfter estimates when there will be a place; whole seconds, at least one.
func (q *Queue) retryAfter() time.Duration {
	wait := q.typical * time.Duration(len(q.waiting)+1) / time.Duration(q.workers)
	return max(time.Second, wait.Round(time.Second))
}
