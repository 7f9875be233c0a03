// Package ratelimit limits how much a visitor may send. A request is charged to
// its device and to its network together, in fixed windows that start with the
// first request. Counters live in memory, within a bound that no number of
// visitors exceeds, and also in Redis where several replicas share them. The
// counting is that of ulule/limiter's Store.
package ratelimit

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"
)

// Key says who sends a request, and where.
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
	Blocked bool // by the operator, at least until RetryAfter
	// Quotas are the limits that apply, the narrowest first; empty where all
	// are off.
	Quotas []Quota
	// RetryAfter is when the same request would be allowed; 0 if it was.
	RetryAfter time.Duration
}

// Quota is what one limit has left.
type Quota struct {
	Name      string // "device", "network" or "key"
	Limit     int64
	Remaining int64
	Window    time.Duration
	Resets    time.Duration // until the whole limit is available again
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
	// Refused, where set, is called with what refused a request: "device",
	// "network", "ceiling", "key" or "blocked".
	Refused func(by string)
	Log     *slog.Logger
}

// Limiter counts. It is safe for concurrent use; Close ends its goroutine.
type Limiter struct {
	rules   atomic.Pointer[Rules]
	memory  *memory
	shared  *shared // nil without Redis
	devices *devices
	blocks  *blocks
	refused func(string)
	now     func() time.Time
}

// New creates a limiter. It fails for an invalid RedisURL, but not if Redis does
// not respond.
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
	l := &Limiter{memory: newMemory(o.MaxKeys, o.Now), devices: newDevices(o.Now), blocks: newBlocks(o.Now), refused: o.Refused, now: o.Now}
	l.SetRules(o.Rules)
	if o.RedisURL == "" {
		return l, nil
	}
	var err error
	l.shared, err = newShared(o, l.blocks)
	return l, err
}

// Close closes the connection to Redis.
func (l *Limiter) Close() error {
	if l.shared == nil {
		return nil
	}
	return l.shared.close()
}

// Degraded reports whether Redis is configured but not responding, and how often
// it has been lost.
func (l *Limiter) Degraded() (now bool, losses int64) {
	if l.shared == nil {
		return false, 0
	}
	return l.shared.store.Load() == nil, l.shared.losses.Load()
}

// SetRules changes what is allowed, from the next request on.
func (l *Limiter) SetRules(r Rules) { l.rules.Store(&r) }

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

// HasKeys reports whether any key is configured.
func (l *Limiter) HasKeys() bool { return len(l.rules.Load().Keys) > 0 }
