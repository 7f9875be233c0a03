package backend

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// watch monitors a serving process: it kills one that does not answer, replaces
// one that exceeds its memory limit, and stops one that has been idle for long.
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
	about, err := p.examine(ctx, s.m.options.HealthTimeout)
	var down *DownError
	switch {
	case ctx.Err() != nil:
	case err != nil:
		// Do not kill one that is already dying: its exit tells why.
		if errors.As(err, &down) || !p.lives(ctx) {
			p.kill(err)
		}
	default:
		p.doubted.Store(false)
		s.m.update(func() { s.about = about })
		if limit := p.spec.MaxMemory; limit > 0 && about.Memory > uint64(limit) {
			s.log.Warn("backend exceeds its memory limit; replacing it with a fresh process", "memory", about.Memory, "limit", limit)
			s.m.noteError(s, fmt.Sprintf("it grew to %d MiB, more than max_memory, and is being replaced", about.Memory>>20))
			_ = s.ask(ctx, p.spec)
		}
	}
}
