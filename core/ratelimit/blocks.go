package ratelimit

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	maxBlocks   = 4096           // devices blocked at a time
	blockTime   = 48 * time.Hour // no device id lives longer
	blocksKey   = "bgremover:blocks"
	blocksEvery = 2 * time.Second // how often replicas fetch each other's blocks
)

// blocks are the devices that the operator has blocked, here or on any replica
// that shares the Redis. There they are members of one sorted set, as hashes, with
// the time that the block ends as score; no request waits for Redis.
type blocks struct {
	now  func() time.Time
	hide func(device string) string // nil without Redis

	mu   sync.Mutex
	own  map[string]*block    // blocked here, by device
	all  map[string]time.Time // what Redis held last, by hidden name
	lift map[string]bool      // hidden names still to be removed from Redis

	exchanging sync.Mutex // so that no older state of Redis replaces a newer one
}

type block struct {
	until  time.Time
	shared bool // Redis holds it, so it ends when it is removed there
}

func newBlocks(now func() time.Time) *blocks {
	return &blocks{now: now, own: map[string]*block{}, all: map[string]time.Time{}, lift: map[string]bool{}}
}

func (b *blocks) find(device string) (until time.Time, blocked bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at(device)
}

// at is find for callers that hold the lock.
func (b *blocks) at(device string) (until time.Time, blocked bool) {
	if own := b.own[device]; own != nil {
		until = own.until
	} else if len(b.all) > 0 {
		until = b.all[b.hide(device)]
	}
	return until, b.now().Before(until)
}

// add reports whether there was space for it.
func (b *blocks) add(device string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.prune()
	if device == "" || max(len(b.own), len(b.all)) >= maxBlocks {
		return false
	}
	b.own[device] = &block{until: b.now().Add(blockTime)}
	if b.hide != nil {
		delete(b.lift, b.hide(device))
	}
	return true
}

func (b *blocks) remove(device string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.own, device)
	if b.hide != nil {
		delete(b.all, b.hide(device))
		b.lift[b.hide(device)] = true
	}
}

// prune removes blocks that have ended. The caller holds the lock.
func (b *blocks) prune() {
	now := b.now()
	for device, own := range b.own {
		if !now.Before(own.until) {
			delete(b.own, device)
		}
	}
	for name, until := range b.all {
		if !now.Before(until) {
			delete(b.all, name)
		}
	}
}

// resend marks the blocks made here to be sent again: Redis may come back empty.
func (b *blocks) resend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, own := range b.own {
		own.shared = false
	}
}

// exchange sends Redis what changed here and adopts what it then holds.
func (b *blocks) exchange(ctx context.Context, client *redis.Client) error {
	b.exchanging.Lock()
	defer b.exchanging.Unlock()
	fresh, lifted := b.changes()
	var held *redis.ZSliceCmd
	_, err := client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.ZRemRangeByScore(ctx, blocksKey, "-inf", strconv.FormatInt(b.now().Unix(), 10))
		if len(lifted) > 0 {
			p.ZRem(ctx, blocksKey, lifted...)
		}
		if len(fresh) > 0 {
			p.ZAdd(ctx, blocksKey, fresh...)
			p.Expire(ctx, blocksKey, blockTime)
		}
		held = p.ZRevRangeWithScores(ctx, blocksKey, 0, maxBlocks-1)
		return nil
	})
	if err == nil {
		b.take(held.Val(), fresh, lifted)
	}
	return err
}

// changes lists what Redis does not hold yet.
func (b *blocks) changes() (fresh []redis.Z, lifted []any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.prune()
	for device, own := range b.own {
		if !own.shared {
			fresh = append(fresh, redis.Z{Score: float64(own.until.Unix()), Member: b.hide(device)})
		}
	}
	for name := range b.lift {
		lifted = append(lifted, name)
	}
	return fresh, lifted
}

// take adopts what Redis holds, now that it has the changes.
func (b *blocks) take(held, fresh []redis.Z, lifted []any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	sent := map[string]bool{}
	for _, z := range fresh {
		sent[z.Member.(string)] = true
	}
	for _, name := range lifted {
		delete(b.lift, name.(string))
	}
	clear(b.all)
	for _, z := range held {
		b.all[z.Member.(string)] = time.Unix(int64(z.Score), 0)
	}
	for device, own := range b.own {
		name := b.hide(device)
		own.shared = own.shared || sent[name]
		if _, there := b.all[name]; own.shared && !there {
			delete(b.own, device) // another replica unblocked it
		}
	}
}
