package ratelimit

import (
	"context"
	"time"

	"github.com/ulule/limiter/v3"
)

// Charge counts cost requests, all or none. Refused requests are not counted: a
// device that floods the server cannot use up its network's share.
func (l *Limiter) Charge(ctx context.Context, key Key, cost int) Decision {
	d, by := l.decide(ctx, key, int64(max(cost, 1)))
	if !d.Allowed {
		l.refused(by)
	}
	l.devices.note(key, d.Allowed, cost)
	return d
}

// Peek returns what is left and counts nothing.
func (l *Limiter) Peek(ctx context.Context, key Key) Decision {
	buckets := l.rules.Load().buckets(key)
	counts := l.tally(ctx, buckets, 0)
	d, _ := l.judge(buckets, counts, func(c limiter.Context) bool { return c.Remaining < 1 })
	return d
}

// Under is what a request would get under other rules, such as those that an operator
// considers. It counts nothing.
func (l *Limiter) Under(ctx context.Context, rules *Rules, key Key) Decision {
	if until, blocked := l.blocks.find(key.Device); blocked || rules.blocks(key) {
		return Decision{Blocked: true, RetryAfter: max(until.Sub(l.now()), time.Hour)}
	}
	buckets := rules.buckets(key)
	d, _ := l.judge(buckets, l.tally(ctx, buckets, 0), func(c limiter.Context) bool { return c.Remaining < 1 })
	return d
}

// Rules are those in force.
func (l *Limiter) Rules() *Rules { return l.rules.Load() }

func (l *Limiter) decide(ctx context.Context, key Key, cost int64) (d Decision, by string) {
	rules := l.rules.Load()
	if until, blocked := l.blocks.find(key.Device); blocked || rules.blocks(key) {
		return Decision{Blocked: true, RetryAfter: max(until.Sub(l.now()), time.Hour)}, "blocked"
	}
	buckets := rules.buckets(key)
	left := l.tally(ctx, buckets, 0)
	d, by = l.judge(buckets, left, func(c limiter.Context) bool { return c.Remaining < cost })
	if !d.Allowed || len(buckets) == 0 {
		return d, by
	}
	// Between the look and the charge, other requests may have been counted; the
	// new count shows that.
	charged := l.tally(ctx, buckets, cost)
	return l.judge(buckets, charged, func(c limiter.Context) bool { return c.Reached })
}

// tally adds cost to each bucket, or only looks if cost is 0. Memory always
// counts, so that nothing is given away when Redis is lost; if Redis answers too,
// the one that leaves less applies.
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

// judge makes a decision from the counts; by is the narrowest bucket that
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
			d.Quotas[last] = q // a ceiling that is closer than the network's own limit
		}
	}
	return d, by
}

// resets is never too early: the store truncates to seconds.
func resets(c limiter.Context, r limiter.Rate, now time.Time) time.Duration {
	return max(0, min(time.Unix(c.Reset+1, 0).Sub(now), r.Period))
}
