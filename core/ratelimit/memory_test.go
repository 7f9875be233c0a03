package ratelimit

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/ulule/limiter/v3"
)

var _ limiter.Store = (*memory)(nil)

// million charges as many devices, each in its own /48, and returns the bytes
// that their counters take.
func million(ctx context.Context, l *Limiter) int64 {
	before := heap()
	for i := range 1_000_000 {
		a := netip.AddrFrom16([16]byte{0x20, byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
		l.Charge(ctx, Key{Device: strconv.Itoa(i), Addr: a}, 1)
	}
	return heap() - before
}

func TestAMillionDevicesStayUnder200MB(t *testing.T) {
	l := make1(t, Options{Rules: Rules{Device: Rate{60, time.Hour}}})
	used := float64(million(t.Context(), l)) / 1e6
	t.Logf("1,000,000 devices: %d counters, %.0f MB", l.Keys(), used)
	if used > 200 || l.Keys() != 1_000_000 {
		t.Errorf("%d counters in %.0f MB", l.Keys(), used)
	}
}

// BenchmarkMillion fills the table to its bound: each device also has a
// network and two ceilings.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		l := make1(b, Options{Rules: Rules{Device: Rate{60, time.Hour}, Network: Rate{600, time.Hour}}})
		b.ReportMetric(float64(million(b.Context(), l))/1e6, "MB")
		b.ReportMetric(float64(l.Keys()), "counters")
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestAFullTableForgetsTheQuiet(t *testing.T) {
	l := make1(t, Options{Rules: Rules{Device: Rate{50, time.Hour}}, MaxKeys: 6400})
	busy := Key{Device: "busy", Addr: addr("192.0.2.1")}
	if got := allowed(t, l, 60, func(int) Key { return busy }); got != 50 {
		t.Fatalf("%d passed", got)
	}
	for i := range 100_000 {
		l.Charge(t.Context(), Key{Device: fmt.Sprint("flood", i), Addr: addr("192.0.2.1")}, 1)
	}
	if l.Charge(t.Context(), busy, 1).Allowed {
		t.Error("a flood of new devices gave an old one its quota back")
	}
	if l.Keys() > 6400 {
		t.Errorf("%d counters, want at most 6400", l.Keys())
	}
	if n := len(l.Busiest(5000)); n > maxDevices {
		t.Errorf("%d devices are watched", n)
	}
	if top := l.Busiest(1); top[0].Device != "busy" {
		t.Errorf("busiest = %+v", top)
	}
}

func TestExpiredCountersMakeRoomFirst(t *testing.T) {
	c := start()
	m := newMemory(64, c.Now)
	r := limiter.Rate{Period: time.Second, Limit: 5}
	for i := range 1000 {
		if _, err := m.Increment(t.Context(), strconv.Itoa(i), 3, r); err != nil {
			t.Fatal(err)
		}
	}
	c.pass(time.Minute)
	for i := range 1000 {
		if got, _ := m.Peek(t.Context(), strconv.Itoa(i), r); got.Remaining != 5 || got.Reached {
			t.Fatalf("a counter outlived its window: %+v", got)
		}
	}
	if _, err := m.Increment(t.Context(), "new", 1, r); err != nil || m.Len() > 64 {
		t.Errorf("%d counters", m.Len())
	}
}

func TestCountsDoNotOverflow(t *testing.T) {
	m := newMemory(64, time.Now)
	r := limiter.Rate{Period: 31 * 24 * time.Hour, Limit: 1_000_000_000}
	for range 3 {
		c, err := m.Increment(t.Context(), "a", 1<<40, r)
		if err != nil || !c.Reached || c.Remaining != 0 {
			t.Fatalf("%+v", c)
		}
	}
	if c, _ := m.Reset(t.Context(), "a", r); c.Remaining != r.Limit || m.Len() != 0 {
		t.Errorf("%+v", c)
	}
}

func BenchmarkCharge(b *testing.B) {
	l := make1(b, Options{Rules: Rules{Device: Rate{1e9, time.Hour}, Network: Rate{1e9, time.Hour}}})
	for _, size := range []int{1, 100_000} {
		keys := make([]Key, size)
		for i := range keys {
			keys[i] = Key{Device: strconv.Itoa(i), Addr: netip.AddrFrom16([16]byte{0x20, 1, byte(i >> 16), byte(i >> 8), byte(i)})}
		}
		b.Run(fmt.Sprintf("devices=%d", size), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				l.Charge(b.Context(), keys[i%size], 1)
				i++
			}
		})
	}
}
