package backend

import (
	"math/rand/v2"
	"time"
)

// breaker counts failures in a row and says when to try again.
type breaker struct {
	failures  int
	permanent bool      // the last failure was of that kind
	ready     time.Time // when it last began to serve
	next      time.Time // when to try again
}

// fail notes a failure and sets the next attempt.
func (b *breaker) fail(now time.Time, f *DownError, r Restart) {
	if !b.ready.IsZero() && now.Sub(b.ready) >= r.Stable {
		b.failures = 0
	}
	b.ready = time.Time{}
	b.failures++
	b.permanent = f.Permanent
	wait := doubled(r.Min, b.failures-1, r.Max)
	if b.open(r) && !f.Lacking {
		wait = doubled(r.Open, max(0, b.failures-r.Failures), 16*r.Open)
	}
	b.next = now.Add(jitter(wait))
}

// open reports whether requests should not wait for this backend, because it
// failed too often or permanently. One attempt at next shows whether that has
// changed.
func (b *breaker) open(r Restart) bool { return b.permanent || b.failures >= r.Failures }

// succeed notes that the backend serves. Its failures are forgotten only once it has done
// so for a while, so that one that dies at its first request is not restarted forever.
func (b *breaker) succeed(now time.Time) {
	b.ready, b.permanent = now, false
}

// doubled is d times two to the power n, at most limit.
func doubled(d time.Duration, n int, limit time.Duration) time.Duration {
	for ; n > 0 && d < limit; n-- {
		d *= 2
	}
	return min(d, limit)
}

// jitter spreads d by a quarter either way, so that backends that failed
// together do not all start together.
func jitter(d time.Duration) time.Duration {
	return d - d/4 + rand.N(d/2+1) //nolint:gosec // no secret
}
