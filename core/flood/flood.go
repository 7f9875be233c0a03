// Package flood samples events, such as log lines, so that output does not grow
// with their number: of each kind, a burst passes in each window of time, then
// one in so many, and the rest are counted.
package flood

import (
	"sync"
	"time"
)

// Limits say how many events pass.
type Limits struct {
	Window time.Duration
	Burst  int // of one kind, in a window
	Every  int // beyond Burst, one in so many passes
	Kinds  int // distinguished in a window; all further kinds count as one
}

// Sampler counts events by their kind. It is safe for concurrent use.
type Sampler[K comparable] struct {
	limits Limits

	mu    sync.Mutex
	began time.Time
	seen  map[K]*count
}

type count struct{ came, left int }

// New makes a Sampler.
func New[K comparable](limits Limits) *Sampler[K] {
	return &Sampler[K]{limits: limits, seen: map[K]*count{}}
}

// Pass reports whether an event passes. The first event of a new window also
// returns the counts that the last window left out, by kind; the zero kind stands
// for those beyond the number that is distinguished.
func (s *Sampler[K]) Pass(kind K, now time.Time) (pass bool, leftOut map[K]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if since := now.Sub(s.began); since < 0 || since >= s.limits.Window {
		leftOut = s.end()
		s.began = now
	}
	c := s.seen[kind]
	if c == nil {
		if len(s.seen) >= s.limits.Kinds {
			var others K
			kind = others
		}
		if c = s.seen[kind]; c == nil {
			c = &count{}
			s.seen[kind] = c
		}
	}
	c.came++
	if c.came <= s.limits.Burst || (c.came-s.limits.Burst)%s.limits.Every == 0 {
		return true, leftOut
	}
	c.left++
	return false, leftOut
}

// End closes the window and returns what it left out.
func (s *Sampler[K]) End() map[K]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end()
}

func (s *Sampler[K]) end() (leftOut map[K]int) {
	for kind, c := range s.seen {
		if c.left > 0 {
			if leftOut == nil {
				leftOut = map[K]int{}
			}
			leftOut[kind] = c.left
		}
	}
	clear(s.seen)
	return leftOut
}
