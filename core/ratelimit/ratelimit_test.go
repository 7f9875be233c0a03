package ratelimit

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that tests move by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func start() *clock { return &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC)} }

func make1(t testing.TB, o Options) *Limiter {
	t.Helper()
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// allowed counts how many of n single charges pass.
func allowed(t *testing.T, l *Limiter, n int, key func(i int) Key) int {
	t.Helper()
	passed := 0
	for i := range n {
		if l.Charge(t.Context(), key(i), 1).Allowed {
			passed++
		}
	}
	return passed
}

func TestWhoMaySendHowMuch(t *testing.T) {
	hour := time.Hour
	rules := Rules{
		Device: Rate{5, hour}, Network: Rate{10, hour},
		Routes: []RouteRate{{"/api/v1/cutouts", Rate{7, hour}}},
		Overrides: []Override{
			{Prefix: netip.MustParsePrefix("203.0.113.0/24"), Block: true},
			{Prefix: netip.MustParsePrefix("203.0.113.7/32"), Rate: Rate{8, hour}},
			{Prefix: netip.MustParsePrefix("198.51.100.7/32")},
			{Prefix: netip.MustParsePrefix("2001:db8:f::1/128"), Rate: Rate{6, hour}},
			{Device: "friend", Rate: Rate{9, hour}},
			{Device: "foe", Block: true},
		},
		Keys: []APIKey{{"robot", sha256.Sum256([]byte("secret")), Rate{12, hour}}},
	}
	id := strconv.Itoa
	v6 := func(i int, format string) netip.Addr { return addr(fmt.Sprintf(format, i)) }
	for _, c := range []struct {
		name string
		key  func(i int) Key
		want int
	}{
		{"one device", func(int) Key { return Key{Device: "a", Addr: addr("192.0.2.1")} }, 5},
		{"rotating devices of one address", func(i int) Key { return Key{Device: id(i), Addr: addr("192.0.2.1")} }, 10},
		{"an IPv4 address in IPv6 clothes", func(i int) Key { return Key{Device: id(i), Addr: addr("::ffff:192.0.2.1")} }, 10},
		{"rotating addresses of a /24", func(i int) Key { return Key{Device: id(i), Addr: addr("192.0.2." + id(i%250))} }, 40},
		{"rotating addresses of a /64", func(i int) Key { return Key{Device: id(i), Addr: v6(i, "2001:db8::%x")} }, 10},
		{"rotating /64 of a /56", func(i int) Key { return Key{Device: id(i), Addr: v6(i%256, "2001:db8:0:%x::1")} }, 40},
		{"rotating /56 of a /48", func(i int) Key { return Key{Device: id(i), Addr: v6(i%256, "2001:db8:0:%x00::1")} }, 160},
		{"a zone is not an address", func(i int) Key { return Key{Device: id(i), Addr: addr("fe80::1%eth" + id(i))} }, 10},
		{"a route of its own", func(int) Key { return Key{Device: "a", Addr: addr("192.0.2.1"), Route: "/api/v1/cutouts"} }, 7},
		{"no address at all", func(i int) Key { return Key{Device: id(i)} }, 10},
		{"a blocked prefix", func(i int) Key { return Key{Device: id(i), Addr: addr("203.0.113.1")} }, 0},
		{"the more specific prefix", func(i int) Key { return Key{Device: id(i), Addr: addr("203.0.113.7")} }, 8},
		{"a prefix without limits", func(int) Key { return Key{Device: "a", Addr: addr("198.51.100.7")} }, 300},
		{"a long IPv6 prefix, of which only the /64 is known", func(int) Key { return Key{Device: "a", Addr: addr("2001:db8:f::")} }, 6},
		{"a device with its own rate", func(int) Key { return Key{Device: "friend", Addr: addr("192.0.2.1")} }, 9},
		{"a blocked device", func(int) Key { return Key{Device: "foe", Addr: addr("192.0.2.1")} }, 0},
		{"a program", func(i int) Key { return Key{Device: id(i), Addr: v6(i, "2001:db8:%x::1"), Program: "robot"} }, 12},
		{"a program that is not known", func(int) Key { return Key{Device: "a", Addr: addr("192.0.2.1"), Program: "x"} }, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := make1(t, Options{Rules: rules})
			if got := allowed(t, l, 300, c.key); got != c.want {
				t.Errorf("%d passed, want %d", got, c.want)
			}
		})
	}
}

func TestLimitsOff(t *testing.T) {
	l := make1(t, Options{})
	d := l.Charge(t.Context(), Key{Device: "a", Addr: addr("192.0.2.1")}, 1)
	if !d.Allowed || len(d.Quotas) != 0 || len(d.Headers(true)) != 0 {
		t.Errorf("decision = %+v", d)
	}
}

func TestHammeringUsesUpNobodyElsesShare(t *testing.T) {
	var refused []string
	l := make1(t, Options{Rules: Rules{Device: Rate{2, time.Hour}, Network: Rate{6, time.Hour}}, Refused: func(by string) { refused = append(refused, by) }})
	hammer := Key{Device: "a", Addr: addr("192.0.2.1")}
	allowed(t, l, 50, func(int) Key { return hammer })
	if got := allowed(t, l, 10, func(i int) Key { return Key{Device: strconv.Itoa(i / 2), Addr: addr("192.0.2.1")} }); got != 4 {
		t.Errorf("%d passed for the neighbours, want 4", got)
	}
	if len(refused) != 48+6 || refused[0] != "device" || refused[53] != "network" {
		t.Errorf("refused by %v", refused)
	}
}

func TestSeveralPhotosPassTogetherOrNotAtAll(t *testing.T) {
	l := make1(t, Options{Rules: Rules{Device: Rate{5, time.Hour}}})
	key := Key{Device: "a", Addr: addr("192.0.2.1")}
	if !l.Charge(t.Context(), key, 3).Allowed || l.Charge(t.Context(), key, 3).Allowed {
		t.Error("3 of 5 pass once")
	}
	if d := l.Peek(t.Context(), key); d.Quotas[0].Remaining != 2 || !d.Allowed {
		t.Errorf("what was refused was counted: %+v", d)
	}
	if !l.Charge(t.Context(), key, 2).Allowed || l.Peek(t.Context(), key).Allowed {
		t.Error("2 more pass, and then nothing")
	}
}

func TestTheWindowEnds(t *testing.T) {
	c := start()
	l := make1(t, Options{Rules: Rules{Device: Rate{1, 90 * time.Second}}, Now: c.Now})
	key := Key{Device: "a", Addr: addr("192.0.2.1")}
	l.Charge(t.Context(), key, 1)
	c.pass(30 * time.Second)
	d := l.Charge(t.Context(), key, 1)
	if d.Allowed || d.RetryAfter < 60*time.Second || d.RetryAfter > 61*time.Second {
		t.Fatalf("decision = %+v", d)
	}
	c.pass(59 * time.Second)
	if l.Charge(t.Context(), key, 1).Allowed {
		t.Error("the window ended early")
	}
	c.pass(d.RetryAfter - 59*time.Second)
	if !l.Charge(t.Context(), key, 1).Allowed {
		t.Error("Retry-After has passed, but the request did not")
	}
}

func TestRulesChangeWhileRunning(t *testing.T) {
	l := make1(t, Options{Rules: Rules{Device: Rate{2, time.Hour}}})
	key := func(int) Key { return Key{Device: "a", Addr: addr("192.0.2.1")} }
	for _, step := range []struct {
		rate Rate
		want int
	}{{Rate{2, time.Hour}, 2}, {Rate{5, time.Hour}, 3}, {Rate{4, time.Hour}, 0}, {Rate{1, time.Minute}, 1}, {Rate{}, 10}} {
		l.SetRules(Rules{Device: step.rate})
		if got := allowed(t, l, 10, key); got != step.want {
			t.Errorf("at %v %d passed, want %d", step.rate, got, step.want)
		}
	}
}

func TestForgetGivesNothing(t *testing.T) {
	l := make1(t, Options{Rules: Rules{Device: Rate{2, time.Hour}}})
	key := Key{Device: "a", Addr: addr("192.0.2.1")}
	l.Charge(t.Context(), key, 2)
	l.Forget("a")
	if l.Charge(t.Context(), key, 1).Allowed {
		t.Error("forgetting raised the quota")
	}
	l.Forget("a")
	if len(l.Busiest(10)) != 0 {
		t.Error("the device is still listed")
	}
}

func TestOperatorClearsAndBlocks(t *testing.T) {
	c := start()
	hour := time.Hour
	l := make1(t, Options{Now: c.Now, Rules: Rules{Device: Rate{2, hour}, Network: Rate{3, hour}, Routes: []RouteRate{{"/api", Rate{1, 2 * hour}}}}})
	key := Key{Device: "a", Addr: addr("192.0.2.1")}
	route := Key{Device: "a", Addr: addr("198.51.100.1"), Route: "/api"}
	l.Charge(t.Context(), key, 2)
	l.Charge(t.Context(), route, 1)
	if top := l.Busiest(10); len(top) != 1 || top[0].Allowed != 3 || top[0].Device != "a" {
		t.Errorf("busiest = %+v", top)
	}
	l.Clear(t.Context(), "a")
	if !l.Charge(t.Context(), key, 1).Allowed || !l.Charge(t.Context(), route, 1).Allowed {
		t.Error("not cleared")
	}
	if l.Charge(t.Context(), key, 1).Allowed {
		t.Error("the network's count was cleared too")
	}
	if !l.Block("a") || l.Block("") {
		t.Error("Block")
	}
	if d := l.Charge(t.Context(), route, 1); d.Allowed || !d.Blocked || d.RetryAfter < 47*hour {
		t.Errorf("blocked: %+v", d)
	}
	if top := l.Busiest(1); !top[0].Blocked {
		t.Errorf("busiest = %+v", top)
	}
	c.pass(49 * hour)
	if !l.Charge(t.Context(), key, 1).Allowed {
		t.Error("the block did not end")
	}
	l.Block("b")
	l.Unblock("b")
	if !l.Charge(t.Context(), Key{Device: "b"}, 1).Allowed {
		t.Error("not unblocked")
	}
}

func TestIdentify(t *testing.T) {
	l := make1(t, Options{Rules: Rules{Keys: []APIKey{{"one", sha256.Sum256([]byte("1")), Rate{}}, {"two", sha256.Sum256([]byte("2")), Rate{}}}}})
	for key, want := range map[string]string{"1": "one", "2": "two", "": "", "3": "", "one": ""} {
		if got, found := l.Identify(key); got != want || found != (want != "") {
			t.Errorf("Identify(%q) = %q, %t", key, got, found)
		}
	}
}
