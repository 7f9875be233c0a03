package device

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newClock() *clock { return &clock{time.Date(2027, 3, 1, 23, 30, 0, 0, time.UTC)} }

func request(peer, agent string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/device/data", nil)
	r.RemoteAddr = peer
	r.Header.Set("User-Agent", agent)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestIdentifierDependsOnNetworkAndAgentOnly(t *testing.T) {
	i := New(Options{})
	base := i.Identify(request("[2001:db8:1:2::1]:4000", "A"))
	tests := []struct {
		name, peer, agent string
		same              bool
	}{
		{"another port", "[2001:db8:1:2::1]:4001", "A", true},
		{"another address of the /64", "[2001:db8:1:2:ffff::9]:1", "A", true},
		{"a zone", "[2001:db8:1:2::1%eth0]:1", "A", true},
		{"another /64", "[2001:db8:1:3::1]:1", "A", false},
		{"another agent", "[2001:db8:1:2::1]:4000", "B", false},
		{"IPv4", "192.0.2.1:1", "A", false},
	}
	for _, tt := range tests {
		if got := i.Identify(request(tt.peer, tt.agent)); (got.ID == base.ID) != tt.same {
			t.Errorf("%s: got %s, base %s, want same=%v", tt.name, got.ID, base.ID, tt.same)
		}
	}
	if a, b := i.Derive(request("192.0.2.1:1", "A")), i.Derive(request("[::ffff:192.0.2.1]:1", "A")); a.ID != b.ID {
		t.Error("an IPv4 address written as IPv6 is another device")
	}
	if a, b := i.Derive(request("192.0.2.1:1", "A")), i.Derive(request("192.0.2.2:1", "A")); a.ID == b.ID {
		t.Error("two IPv4 addresses are one device")
	}
	if base.Network != netip.MustParsePrefix("2001:db8:1:2::/64") || len(base.ID) != 16 {
		t.Errorf("got %+v", base)
	}
}

func TestForwardedAddresses(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy, no header", "192.0.2.7:1", nil, "192.0.2.7"},
		{"untrusted peer is not believed", "192.0.2.7:1", []string{"203.0.113.9"}, "192.0.2.7"},
		{"one trusted proxy", "10.0.0.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"what the client wrote stands left", "10.0.0.1:1", []string{"198.51.100.1, 203.0.113.9"}, "203.0.113.9"},
		{"a chain of proxies", "10.0.0.1:1", []string{"198.51.100.1, 203.0.113.9, fd00::2, 10.1.1.1"}, "203.0.113.9"},
		{"several header lines", "10.0.0.1:1", []string{"198.51.100.1", "203.0.113.9, 10.2.2.2"}, "203.0.113.9"},
		{"with ports", "10.0.0.1:1", []string{"203.0.113.9:5511"}, "203.0.113.9"},
		{"IPv6 with brackets and port", "10.0.0.1:1", []string{"[2001:db8::5]:99"}, "2001:db8::5"},
		{"all are proxies", "10.0.0.1:1", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
		{"rubbish stops the walk", "10.0.0.1:1", []string{"203.0.113.9, unknown, 10.2.2.2"}, "10.2.2.2"},
		{"trusted peer, no header", "10.0.0.1:1", nil, "10.0.0.1"},
		{"mapped peer", "[::ffff:10.0.0.1]:1", []string{"203.0.113.9"}, "203.0.113.9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(tt.peer, "A")
			for _, f := range tt.forwarded {
				r.Header.Add("X-Forwarded-For", f)
			}
			if got := New(Options{TrustedProxies: proxies}).Client(r); got.String() != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestWarnsOperatorOnce(t *testing.T) {
	var log bytes.Buffer
	i := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	i.Identify(request("172.16.0.9:1", "A"))
	if log.Len() > 0 || i.IgnoredForwarded() {
		t.Fatalf("warned without a forwarded header: %s", &log)
	}
	for range 3 {
		i.Identify(request("172.16.0.9:1", "A", "X-Forwarded-For", "203.0.113.9"))
	}
	if n := strings.Count(log.String(), "BGREMOVER_TRUSTED_PROXIES"); n != 1 || !i.IgnoredForwarded() {
		t.Errorf("%d warnings: %s", n, &log)
	}
	if strings.Contains(log.String(), "203.0.113.9") {
		t.Error("the log holds a forwarded address")
	}
	log.Reset()
	New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))}).Identify(request("198.51.100.4:1", "A", "X-Real-IP", "1.1.1.1"))
	if log.Len() == 0 || strings.Contains(log.String(), "198.51.100.4") {
		t.Errorf("want a warning that names no public address: %s", &log)
	}
}

func TestKeysChangeDaily(t *testing.T) {
	for _, secret := range []string{"", "a secret shared by replicas"} {
		c := newClock()
		i := New(Options{Secret: []byte(secret), Now: c.now})
		r := request("192.0.2.1:1", "A")
		first := i.Derive(r)
		cookie := i.Cookie(first, true)
		if got := i.KeyEnds(); got != 30*time.Minute {
			t.Errorf("at 23:30 the key ends in %s", got)
		}
		c.t = c.t.Add(20 * time.Minute)
		if i.Derive(r).ID != first.ID {
			t.Error("the identifier changed within the day")
		}
		c.t = c.t.Add(25 * time.Hour)
		if i.Derive(r).ID == first.ID {
			t.Error("the identifier outlived its day")
		}
		if got := i.Identify(request("192.0.2.1:1", "A", "Cookie", pair(cookie))); got.Returning {
			t.Errorf("secret %q: a cookie opens after two midnights", secret)
		}
	}
}

func TestCookieOpensUntilTheNextDayEnds(t *testing.T) {
	c := newClock() // 23:30
	i := New(Options{Now: c.now})
	d := i.Derive(request("192.0.2.1:1", "A"))
	with := request("198.51.100.1:1", "B", "Cookie", pair(i.Cookie(d, false)))
	for _, tt := range []struct {
		at   time.Duration
		want bool
	}{{0, true}, {24 * time.Hour, true}, {24*time.Hour + 29*time.Minute, true}, {24*time.Hour + 31*time.Minute, false}, {-time.Hour, false}} {
		now := newClock().t.Add(tt.at)
		c.t = now
		got := i.Identify(with)
		if got.Returning != tt.want || got.Returning && got.ID != d.ID {
			t.Errorf("after %s: returning=%v", tt.at, got.Returning)
		}
		if got.Network.String() != "198.51.100.1/32" {
			t.Errorf("the cookie changed the network: %s", got.Network)
		}
	}
}

func TestReplicasAgree(t *testing.T) {
	c := newClock()
	r := request("192.0.2.1:1", "A")
	first := New(Options{Secret: []byte("s"), Now: c.now})
	d := first.Derive(r)
	cookie := pair(first.Cookie(d, false))
	c.t = c.t.Add(time.Hour) // the next day, on a replica started only now
	late := New(Options{Secret: []byte("s"), Now: c.now})
	if got := late.Identify(request("192.0.2.1:1", "A", "Cookie", cookie)); got.ID != d.ID || !got.Returning {
		t.Error("a replica refuses yesterday's cookie of another")
	}
	if New(Options{Secret: []byte("s"), Now: c.now}).Derive(r).ID != late.Derive(r).ID {
		t.Error("replicas with one secret disagree")
	}
	if restarted := New(Options{Now: c.now}); restarted.Derive(r).ID == New(Options{Now: c.now}).Derive(r).ID {
		t.Error("two servers without a secret agree")
	}
}

func TestCookieAttributes(t *testing.T) {
	i := New(Options{})
	d := i.Derive(request("192.0.2.1:1", "A"))
	c := i.Cookie(d, true)
	if c.Name != "session" || c.Path != "/device/" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.MaxAge <= 0 || c.MaxAge > 86400 {
		t.Errorf("got %+v", c)
	}
	if len(c.Value) > 80 || !strings.HasPrefix(c.Value, "v1."+d.ID+".") {
		t.Errorf("value %q", c.Value)
	}
	if i.Cookie(d, false).Secure {
		t.Error("Secure on a plain connection")
	}
	if e := ExpiredCookie(true); e.MaxAge >= 0 || e.Value != "" || e.Path != "/device/" {
		t.Errorf("expired: %+v", e)
	}
}

// No string but one that the server made passes as a cookie.
func TestForgedCookiesCountAsAbsent(t *testing.T) {
	i := New(Options{})
	bare := request("192.0.2.1:1", "A")
	d := i.Derive(bare)
	good := pair(i.Cookie(d, false))
	rapid.Check(t, func(t *rapid.T) {
		forged := []byte(good)
		at := rapid.IntRange(len("session="), len(forged)-1).Draw(t, "at")
		forged[at] = rapid.SampledFrom([]byte("abcXYZ0123456789._-")).Draw(t, "byte")
		if string(forged) == good {
			return
		}
		if got := i.Identify(request("192.0.2.1:1", "A", "Cookie", string(forged))); got != d {
			t.Fatalf("%q: got %+v, want the derived device", forged, got)
		}
	})
	for _, value := range []string{"", "session=", "session=v1", "session=v1..", "session=v2." + d.ID + ".x", good + "; " + good} {
		if got := i.Identify(request("192.0.2.1:1", "A", "Cookie", value)); got != d {
			t.Errorf("%q: got %+v", value, got)
		}
	}
}

func TestSecure(t *testing.T) {
	i := New(Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	if i.Secure(request("192.0.2.1:1", "A", "X-Forwarded-Proto", "https")) {
		t.Error("believed a stranger")
	}
	if !i.Secure(request("10.0.0.1:1", "A", "X-Forwarded-Proto", "https")) {
		t.Error("did not believe the proxy")
	}
}

func pair(c *http.Cookie) string { return c.Name + "=" + c.Value }
