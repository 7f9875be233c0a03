package ratelimit

import (
	"testing"
	"time"
)

func (l *Limiter) refuses(t *testing.T, device string) bool {
	return l.Charge(t.Context(), Key{Device: device, Addr: netipAddr}, 1).Blocked
}

// awaitExchange returns when the replica has looked at Redis once more.
func awaitExchange(l *Limiter) { l.shared.exchange() }

func TestReplicasShareTheirBlocks(t *testing.T) {
	s := startRedis(t)
	one, _ := replica(t, s.url())
	two, _ := replica(t, s.url())
	if !one.Block("a") || !one.refuses(t, "a") || one.refuses(t, "b") {
		t.Error("the block does not hold where it was made")
	}
	awaitExchange(two)
	if !two.refuses(t, "a") || two.refuses(t, "b") {
		t.Error("the block does not hold on the other replica")
	}
	if top := two.Busiest(1); len(top) != 1 || top[0].Device != "a" || !top[0].Blocked {
		t.Errorf("the other replica lists %+v", top)
	}
	late, _ := replica(t, s.url())
	if !late.refuses(t, "a") {
		t.Error("the block does not hold on a replica that starts after it")
	}

	client := s.client()
	defer client.Close()
	held := client.ZRange(t.Context(), blocksKey, 0, -1).Val()
	if ttl := client.TTL(t.Context(), blocksKey).Val(); len(held) != 1 || len(held[0]) != 22 || ttl < 47*time.Hour {
		t.Errorf("Redis holds %q for %v", held, ttl)
	}

	two.Unblock("a")
	awaitExchange(one)
	if one.refuses(t, "a") || two.refuses(t, "a") {
		t.Error("still blocked after another replica let it in")
	}
	if top := one.Busiest(5); top[0].Blocked {
		t.Errorf("listed as blocked: %+v", top)
	}
}

func TestReplicasFindBlocksByThemselves(t *testing.T) {
	s := startRedis(t)
	one, _ := replica(t, s.url())
	two, _ := replica(t, s.url())
	one.Block("a")
	for deadline := time.Now().Add(30 * time.Second); !two.refuses(t, "a"); {
		if time.Now().After(deadline) {
			t.Fatal("the other replica never heard of the block")
		}
		<-time.After(10 * time.Millisecond)
	}
}

func TestBlocksOutliveAnOutage(t *testing.T) {
	s := startRedis(t)
	one, log := replica(t, s.url())
	one.Block("before")
	s.stop()
	if !one.Block("meanwhile") || !one.refuses(t, "meanwhile") || !one.refuses(t, "before") {
		t.Error("no blocks without Redis")
	}
	log.await(t, "counts on its own")
	one.Unblock("meanwhile")
	one.Block("later")
	s.start() // and it has forgotten everything
	log.await(t, "responds again")
	awaitExchange(one)
	two, _ := replica(t, s.url())
	if two.refuses(t, "meanwhile") || !two.refuses(t, "later") || !two.refuses(t, "before") {
		t.Error("what was blocked meanwhile did not reach Redis")
	}
}

func TestBlocksEnd(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { return now }
	b := newBlocks(clock)
	for i := range maxBlocks {
		if !b.add(string(rune('一' + i))) {
			t.Fatalf("no room for block %d", i)
		}
	}
	if b.add("one more") || b.add("") {
		t.Error("more blocks than there is room for")
	}
	now = now.Add(blockTime)
	if _, blocked := b.find("一"); blocked {
		t.Error("a block without end")
	}
	if !b.add("one more") || len(b.own) != 1 {
		t.Errorf("%d blocks are kept after their end", len(b.own))
	}
}
