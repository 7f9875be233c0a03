// Package ratelimit says how much a visitor may send. A request is charged to
// its device and to its network together, in fixed windows that start with
// the first request. Counters live in memory, within a bound that no number
// of visitors exceeds, and beside it in Redis where several replicas share
// them. The counting is that of ulule/limiter's Store.
package ratelimit

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/ulule/limiter/v3"
)

// Key says who sends what.
type Key struct {
	Device string
	// Addr is the visitor's address, or any address of its /64.
	Addr netip.Addr
	// Route is the path, such as "/api/v1/cutouts"; for a route's own rate.
	Route string
	// Program is the name that Identify gave for an API key. A program is
	// charged to its key alone.
	Program string
}

// Decision is the answer to a charge.
type Decision struct {
	Allowed bool
	Blocked bool // by the operator; no waiting helps before RetryAfter
	// Quotas are the limits that apply, the narrowest first; empty where all
	// are off.
	Quotas []Quota
	// RetryAfter says when as much would pass; 0 where it passed.
	RetryAfter time.Duration
}

// Quota is what one limit has left.
type Quota struct {
	Name      string // "device", "network" or "key"
	Limit     int64
	Remaining int64
	Window    time.Duration
	Resets    time.Duration // until all is free again
}

// Options are what a Limiter is made of.
type Options struct {
	Rules Rules
	// RedisURL is where replicas share counters: redis://, rediss://, unix://.
	RedisURL string
	// Secret keys the names of the shared counters, so that Redis never holds
	// an address or a device; the same on all replicas.
	Secret []byte
	// MaxKeys bounds the counters in memory; 0 means three million, which is
	// some 100 MB when full.
	MaxKeys int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Refused, where set, is told what refused a request: "device", "network",
	// "ceiling", "key" or "blocked".
	Refused func(by string)
	Log     *slog.Logger
}

// Limiter counts. It is safe for concurrent use; Close ends its goroutine.
type Limiter struct {
	rules   atomic.Pointer[Rules]
	memory  *memory
	shared  *shared // nil without Redis
	devices *devices
	refused func(string)
	now     func() time.Time
}

// New makes a limiter. It fails for a RedisURL that is none; a Redis that does
// not answer is no failure.
func New(o Options) (*Limiter, error) {
	if o.MaxKeys == 0 {
		o.MaxKeys = 3_000_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Refused == nil {
		o.Refused = func(string) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l := &Limiter{memory: newMemory(o.MaxKeys, o.Now), devices: newDevices(o.Now), refused: o.Refused, now: o.Now}
	l.SetRules(o.Rules)
	if o.RedisURL == "" {
		return l, nil
	}
	var err error
	l.shared, err = newShared(o)
	return l, err
}

// Close gives the connection to Redis back.
func (l *Limiter) Close() error {
	if l.shared == nil {
		return nil
	}
	return l.shared.close()
}

// Degraded says whether Redis is wanted but does not answer, and how often it
// was lost so far.
func (l *Limiter) Degraded() (now bool, losses int64) {
	if l.shared == nil {
		return false, 0
	}
	return l.shared.store.Load() == nil, l.shared.losses.Load()
}

// SetRules changes what is allowed, from the next request on.
func (l *Limiter) SetRules(r Rules) { l.rules.Store(&r) }

// Charge counts cost requests, all or none. What is refused is not counted: a
// device that hammers cannot use up its network's share.
func (l *Limiter) Charge(ctx context.Context, key Key, cost int) Decision {
	d, by := l.decide(ctx, key, int64(max(cost, 1)))
	if !d.Allowed {
		l.refused(by)
	}
	l.devices.note(key, d.Allowed, cost)
	return d
}

// Peek says what is left and counts nothing.
func (l *Limiter) Peek(ctx context.Context, key Key) Decision {
	buckets := l.rules.Load().buckets(key)
	counts := l.tally(ctx, buckets, 0)
	d, _ := l.judge(buckets, counts, func(c limiter.Context) bool { return c.Remaining < 1 })
	return d
}

// Identify finds the program that a presented API key belongs to. It compares
// with every key in constant time.
func (l *Limiter) Identify(apiKey string) (program string, found bool) {
	sum := sha256.Sum256([]byte(apiKey))
	for _, k := range l.rules.Load().Keys {
		if subtle.ConstantTimeCompare(sum[:], k.SHA256[:]) == 1 {
			program, found = k.Name, true
		}
	}
	return program, found
}

func (l *Limiter) decide(ctx context.Context, key Key, cost int64) (d Decision, by string) {
	rules := l.rules.Load()
	if until, blocked := l.devices.blocked(key.Device); blocked || rules.blocks(key) {
		return Decision{Blocked: true, RetryAfter: max(until.Sub(l.now()), time.Hour)}, "blocked"
	}
	buckets := rules.buckets(key)
	left := l.tally(ctx, buckets, 0)
	d, by = l.judge(buckets, left, func(c limiter.Context) bool { return c.Remaining < cost })
	if !d.Allowed || len(buckets) == 0 {
		return d, by
	}
	// Between the look and the charge others may have passed; then the count
	// itself says so.
	charged := l.tally(ctx, buckets, cost)
	return l.judge(buckets, charged, func(c limiter.Context) bool { return c.Reached })
}

// tally adds cost to each bucket, or looks only where cost is 0. Memory always
// counts, so that nothing is given away when Redis is lost; where Redis
// answers too, whichever leaves less counts.
func (l *Limiter) tally(ctx context.Context, buckets []bucket, cost int64) []limiter.Context {
	counts := make([]limiter.Context, len(buckets))
	_ = count(ctx, l.memory, buckets, cost, func(i int, c limiter.Context) { counts[i] = c }) // memory does not fail
	if l.shared != nil {
		l.shared.tally(ctx, buckets, cost, func(i int, c limiter.Context) {
			if c.Reached || c.Remaining < counts[i].Remaining {
				counts[i] = c
			}
		})
	}
	return counts
}

// count goes from the widest bucket to the narrowest.
func count(ctx context.Context, store limiter.Store, buckets []bucket, cost int64, each func(int, limiter.Context)) error {
	for i := len(buckets) - 1; i >= 0; i-- {
		var c limiter.Context
		var err error
		if cost == 0 {
			c, err = store.Peek(ctx, buckets[i].key, buckets[i].rate)
		} else {
			c, err = store.Increment(ctx, buckets[i].key, cost, buckets[i].rate)
		}
		if err != nil {
			return err
		}
		each(i, c)
	}
	return nil
}

// judge makes a decision of the counts; by is the narrowest bucket that
// refuses.
func (l *Limiter) judge(buckets []bucket, counts []limiter.Context, refuses func(limiter.Context) bool) (d Decision, by string) {
	d.Allowed = true
	now := l.now()
	for i, b := range buckets {
		q := Quota{Name: b.name, Limit: b.rate.Limit, Remaining: counts[i].Remaining, Window: b.rate.Period, Resets: resets(counts[i], b.rate, now)}
		if refuses(counts[i]) {
			if d.Allowed {
				by = b.kind
			}
			d.Allowed = false
			d.RetryAfter = max(d.RetryAfter, q.Resets)
		}
		last := len(d.Quotas) - 1
		if last < 0 || d.Quotas[last].Name != q.Name {
			d.Quotas = append(d.Quotas, q)
		} else if q.Remaining < d.Quotas[last].Remaining {
			d.Quotas[last] = q // a ceiling that is nearer than the network's own limit
		}
	}
	return d, by
}

// resets is never too early: the store's seconds are cut off, not rounded.
func resets(c limiter.Context, r limiter.Rate, now time.Time) time.Duration {
	return max(0, min(time.Unix(c.Reset+1, 0).Sub(now), r.Period))
}
