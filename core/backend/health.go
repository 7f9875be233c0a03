package backend

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// watch looks after a process that serves: one that does not answer is killed,
// one that has grown too large is replaced, one without work for long is let
// go. It ends with ctx or the process.
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
			s.log.Info("backend ends for lack of work; the next request starts it")
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
		// One that is dying is let die, so that its end tells why.
		if errors.As(err, &down) || !p.lives(ctx) {
			p.kill(err)
		}
	default:
		p.doubted.Store(false)
		s.m.update(func() { s.about = about })
		if limit := p.spec.MaxMemory; limit > 0 && about.Memory > uint64(limit) {
			s.log.Warn("backend has grown too large and is replaced", "memory", about.Memory, "limit", limit)
			s.m.noteError(s, fmt.Sprintf("it grew to %d MiB; a fresh process took over", about.Memory>>20))
			_ = s.ask(ctx, p.spec)
		}
	}
}
