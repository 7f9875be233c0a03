package backend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bgremover.pro/plugins/contract"
)

// watch monitors a serving process: it kills one that does not answer, gives no runs
// to one that cannot serve, replaces one that exceeds its memory limit, and stops one
// that has been idle for long.
// It ends with ctx or the process.
func (s *supervisor) watch(ctx context.Context, p *process) {
	ticker := time.NewTicker(s.m.options.HealthInterval)
	defer ticker.Stop()
	idle := s.idleTimer()
	defer idle.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.gone:
			return
		case <-idle.C:
			if left := s.m.options.IdleAfter - p.idle(); left > 0 {
				idle.Reset(left)
				continue
			}
			s.m.update(func() { s.asleep, s.demanded = true, false })
			s.log.Info("backend idle; stopping it until the next request")
			return
		case <-ticker.C:
			s.check(ctx, p)
		}
	}
}

func (s *supervisor) idleTimer() *time.Timer {
	if after := s.m.options.IdleAfter; after > 0 {
		return time.NewTimer(after)
	}
	timer := time.NewTimer(0)
	timer.Stop()
	return timer
}

func (s *supervisor) check(ctx context.Context, p *process) {
	about, ok := s.examine(ctx, p)
	if limit := p.spec.MaxMemory; ok && limit > 0 && about.Memory > uint64(limit) {
		s.log.Warn("backend exceeds its memory limit; replacing it with a fresh process", "memory", about.Memory, "limit", limit)
		s.m.noteError(s, fmt.Sprintf("it grew to %d MiB, more than max_memory, and is being replaced", about.Memory>>20))
		_ = s.ask(ctx, p.spec)
	}
}

// examine asks a process for its description: one that does not answer is killed,
// and one that reports that it cannot serve gets no runs until it reports otherwise.
func (s *supervisor) examine(ctx context.Context, p *process) (contract.Description, bool) {
	about, err := p.examine(ctx, s.m.options.HealthTimeout)
	var down *DownError
	switch {
	case ctx.Err() != nil:
	case err == nil:
		s.resume(p, about)
	case errors.As(err, &down), !p.lives(ctx): // lives waits for one that is dying: its exit tells why
		p.kill(err)
	default:
		s.suspend(p, reason(err))
	}
	return about, err == nil
}

func (s *supervisor) suspend(p *process, why string) {
	var fresh bool
	s.m.update(func() {
		if s.proc != p {
			return
		}
		if fresh = s.state != Unavailable; fresh {
			s.state, s.since = Unavailable, time.Now()
		}
		s.why, s.lastErr = why, why
	})
	if fresh {
		s.log.Error("backend reports that it cannot serve", "why", why)
	}
}

func (s *supervisor) resume(p *process, about contract.Description) {
	var back bool
	p.doubted.Store(false)
	s.m.update(func() {
		if s.proc != p {
			return
		}
		s.about = about
		if back = s.state == Unavailable; back {
			s.state, s.why, s.since = Ready, "", time.Now()
		}
	})
	if back {
		s.log.Info("backend can serve again", "provider", about.Provider)
	}
}
