package ratelimit

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestConcurrentChargesNeverExceedTheLimit(t *testing.T) {
	l := make1(t, Options{Rules: Rules{Device: Rate{100, time.Hour}, Network: Rate{250, time.Hour}}})
	var passed atomic.Int64
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 400 {
				if l.Charge(t.Context(), Key{Device: strconv.Itoa((worker + i) % 3), Addr: addr("192.0.2.1")}, 1).Allowed {
					passed.Add(1)
				}
				l.Busiest(3)
			}
		})
	}
	wg.Wait()
	// Fewer may pass where two met at the end of a window's quota; never more.
	if n := passed.Load(); n > 250 || n < 240 {
		t.Errorf("%d passed of 250", n)
	}
}

// TestNoOrderOfEventsGivesMore plays visitors that do what they like, and
// counts itself.
func TestNoOrderOfEventsGivesMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := start()
		limit := rapid.Int64Range(1, 6).Draw(t, "limit")
		period := time.Duration(rapid.IntRange(1, 90).Draw(t, "period")) * time.Second
		l, err := New(Options{Rules: Rules{Device: Rate{limit, period}}, Now: c.Now})
		if err != nil {
			t.Fatal(err)
		}
		type window struct {
			ends  time.Time
			count int64
		}
		model := map[string]*window{"a": {}, "b": {}}
		t.Repeat(map[string]func(*rapid.T){
			"charge": func(t *rapid.T) {
				id := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "device")
				cost := rapid.Int64Range(1, 3).Draw(t, "cost")
				if late := c.Now().Sub(model[id].ends); late >= 0 && late <= tick {
					c.pass(tick - late + 1) // within a tick of its end, a window may count as over or not
				}
				d := l.Charge(t.Context(), Key{Device: id, Addr: addr("192.0.2.1")}, int(cost))
				w := model[id]
				fresh := !c.Now().Before(w.ends)
				if d.Allowed && !fresh && w.count+cost > limit {
					t.Fatalf("%d + %d of %d passed", w.count, cost, limit)
				}
				if !d.Allowed && cost <= limit && c.Now().After(w.ends.Add(tick)) {
					t.Fatal("refused in a new window")
				}
				if d.Allowed && fresh {
					*w = window{c.Now().Add(period), 0}
				}
				if d.Allowed {
					w.count += cost
				} else if cost <= limit && c.Now().Add(d.RetryAfter).Before(w.ends) {
					t.Fatal("Retry-After is too early")
				}
			},
			"forget": func(*rapid.T) { l.Forget("a") },
			"peek":   func(t *rapid.T) { l.Peek(t.Context(), Key{Device: "b"}) },
			"wait": func(t *rapid.T) {
				c.pass(time.Duration(rapid.IntRange(0, 40_000).Draw(t, "ms")) * time.Millisecond)
			},
		})
	})
}
