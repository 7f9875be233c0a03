package ratelimit

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/store/common"
)

// memory is a limiter.Store with a bound. The library's own keeps every key that
// it has seen until a cleaner runs, 201 bytes each where ours takes 37 in its map, so
// a visitor with an IPv6 prefix could fill the memory; and its cleaner loses counts
// and cannot be stopped. Its Limiter is not used either: it has one rate, where ours
// change while running and differ by device and network.
//
// A counter takes 17 bytes: a keyed hash of its name (nothing of the visitor is
// kept, and nobody can cause a collision on purpose) and a packed word.
type memory struct {
	seed   maphash.Seed
	shards [64]shard
	now    func() time.Time
	start  time.Time // times are relative to this
}

type shard struct {
	mu       sync.Mutex
	counters map[uint64]counter
	capacity int
}

// counter packs its end, in tenths of a second, above its count.
type counter uint64

const (
	countBits = 30
	maxCount  = 1<<countBits - 1
	tick      = 100 * time.Millisecond
)

func newMemory(maxKeys int, now func() time.Time) *memory {
	m := &memory{seed: maphash.MakeSeed(), now: now, start: now()}
	for i := range m.shards {
		m.shards[i] = shard{counters: map[uint64]counter{}, capacity: max(1, maxKeys/len(m.shards))}
	}
	return m
}

func (c counter) count() int64           { return int64(c & maxCount) }
func (c counter) expired(now int64) bool { return int64(c>>countBits) <= now }

// passed counts the whole ticks until a time.
func (m *memory) passed(t time.Time) int64 { return int64(max(0, t.Sub(m.start)) / tick) }

func (m *memory) use(key string, f func(s *shard, hash uint64, now time.Time) counter, r limiter.Rate) (limiter.Context, error) {
	hash := maphash.String(m.seed, key)
	s := &m.shards[hash%uint64(len(m.shards))]
	now := m.now()
	s.mu.Lock()
	c := f(s, hash, now)
	s.mu.Unlock()
	end := m.start.Add(time.Duration(c>>countBits) * tick)
	if c == 0 {
		end = now.Add(r.Period)
	}
	return common.GetContextFromState(now, r, end, c.count()), nil
}

// Peek is limiter.Store's.
func (m *memory) Peek(_ context.Context, key string, r limiter.Rate) (limiter.Context, error) {
	return m.use(key, func(s *shard, hash uint64, now time.Time) counter {
		c := s.counters[hash]
		if c.expired(m.passed(now)) {
			return 0
		}
		return c
	}, r)
}

// Increment is limiter.Store's.
func (m *memory) Increment(_ context.Context, key string, n int64, r limiter.Rate) (limiter.Context, error) {
	return m.use(key, func(s *shard, hash uint64, now time.Time) counter {
		current := m.passed(now)
		c, known := s.counters[hash]
		if !known {
			s.makeRoom(current)
		}
		if c.expired(current) {
			c = counter(m.passed(now.Add(r.Period+tick-1))) << countBits // no window ends early
		}
		c += counter(min(n, maxCount-c.count()))
		s.counters[hash] = c
		return c
	}, r)
}

// Get is limiter.Store's.
func (m *memory) Get(ctx context.Context, key string, r limiter.Rate) (limiter.Context, error) {
	return m.Increment(ctx, key, 1, r)
}

// Reset is limiter.Store's.
func (m *memory) Reset(_ context.Context, key string, r limiter.Rate) (limiter.Context, error) {
	return m.use(key, func(s *shard, hash uint64, _ time.Time) counter {
		delete(s.counters, hash)
		return 0
	}, r)
}

// makeRoom removes an expired counter from a full shard, or else the one with the
// lowest count of a few: a flood of new names evicts those names, not the
// counters near their limit.
func (s *shard) makeRoom(now int64) {
	if len(s.counters) < s.capacity {
		return
	}
	const sample = 16
	var victim uint64
	least, seen := int64(maxCount+1), 0
	for hash, c := range s.counters { // starts anywhere
		if c.expired(now) {
			delete(s.counters, hash)
			return
		}
		if c.count() < least {
			victim, least = hash, c.count()
		}
		if seen++; seen == sample {
			break
		}
	}
	delete(s.counters, victim)
}

// Len counts the counters that are kept.
func (m *memory) Len() int {
	n := 0
	for i := range m.shards {
		m.shards[i].mu.Lock()
		n += len(m.shards[i].counters)
		m.shards[i].mu.Unlock()
	}
	return n
}
