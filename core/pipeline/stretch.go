package pipeline

import "context"

// stretch is a part of the line in which jobs of owners with many jobs give way to
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

// next waits before another step for the jobs that are in the stretch now and whose
// owners have fewer jobs. It does not wait for jobs that come later, nor for a job
// that itself gives way, so that no job waits for ever.
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
