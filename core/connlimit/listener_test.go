package connlimit

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// scripted is a listener whose connections come from given addresses.
type scripted struct {
	net.Listener
	peers []string
}

type scriptedConn struct {
	net.Conn
	peer   net.Addr
	closed bool
}

func (c *scriptedConn) RemoteAddr() net.Addr { return c.peer }
func (c *scriptedConn) Close() error         { c.closed = true; return nil }

func (s *scripted) Accept() (net.Conn, error) {
	if len(s.peers) == 0 {
		return nil, net.ErrClosed
	}
	peer := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s.peers[0]))
	s.peers = s.peers[1:]
	return &scriptedConn{peer: peer}, nil
}

// accepted is how many connections from so many addresses, all with a request
// of their own, are let in.
func accepted(all int, trusted string, addresses ...string) int {
	inner := &scripted{}
	for _, a := range addresses {
		inner.peers = append(inner.peers, netip.AddrPortFrom(netip.MustParseAddr(a), 1).String())
	}
	l := New(inner, all, func(a netip.Addr) bool { return a.String() == trusted })
	n := 0
	for {
		conn, err := l.Accept()
		if err != nil {
			return n
		}
		Follow(conn, http.StateActive)
		n++
	}
}

func repeat(n int, address func(i int) string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = address(i)
	}
	return all
}

// An address has a 64th of all connections, a household and an IPv4 network
// four times that, and a /48 sixteen times.
func TestNetworksHaveShares(t *testing.T) {
	const all, many = 4096, 3000
	for name, c := range map[string]struct {
		address func(i int) string
		want    int
	}{
		"one IPv4 address":         {func(int) string { return "203.0.113.1" }, 64},
		"written as IPv6":          {func(int) string { return "::ffff:203.0.113.1" }, 64},
		"an IPv4 network":          {func(i int) string { return fmt.Sprintf("203.0.113.%d", i%256) }, 256},
		"several of them":          {func(i int) string { return fmt.Sprintf("203.0.%d.%d", i%3, i/3%256) }, 768},
		"an IPv6 /64":              {func(i int) string { return fmt.Sprintf("2001:db8::%x", i) }, 64},
		"a /56":                    {func(i int) string { return fmt.Sprintf("2001:db8:0:%x::1", i%256) }, 256},
		"a /48":                    {func(i int) string { return fmt.Sprintf("2001:db8:0:%x::1", i) }, 1024},
		"this machine":             {func(int) string { return "127.0.0.1" }, 64},
		"a network of one's own":   {func(int) string { return "10.0.0.7" }, 64},
		"a trusted proxy, however": {func(int) string { return "127.0.0.9" }, many},
	} {
		if n := accepted(all, "127.0.0.9", repeat(many, c.address)...); n != c.want {
			t.Errorf("%s may hold %d, want %d", name, n, c.want)
		}
	}
}

// Whatever comes, goes, works or rests: the bounds hold, nothing that carries a
// request is closed, and in the end nothing is counted.
func TestConnectionsAreCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.IntRange(1, 40).Draw(t, "all")
		inner := &scripted{}
		l := New(inner, all, func(a netip.Addr) bool { return a.String() == "10.0.0.1" })
		var held []*connection
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			if len(held) > 0 && rapid.Bool().Draw(t, "change") {
				c := rapid.SampledFrom(held).Draw(t, "which")
				switch rapid.IntRange(0, 2).Draw(t, "to") {
				case 0:
					_ = c.Close() // perhaps a second time, as net/http does
				case 1:
					Follow(c, http.StateActive)
				case 2:
					Follow(c, http.StateIdle)
				}
			} else if l.open < all || l.idle.Len() > 0 {
				inner.peers = []string{rapid.SampledFrom([]string{"192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1", "10.0.0.1:1"}).Draw(t, "peer")}
				busy := map[*connection]bool{}
				for _, c := range held {
					busy[c] = !c.gone && c.idle == nil
				}
				if conn, err := l.Accept(); err == nil {
					held = append(held, conn.(*connection))
				}
				for c, was := range busy {
					if was && c.gone {
						t.Fatal("a connection with a request was closed for another")
					}
				}
			}
			open := 0
			for _, c := range held {
				if c.gone != c.Conn.(*scriptedConn).closed {
					t.Fatal("a connection is open and not counted, or the other way round")
				}
				if !c.gone {
					open++
				}
			}
			if open != l.open || open > all || l.idle.Len() > open {
				t.Fatalf("%d open, %d counted, %d allowed, %d idle", open, l.open, all, l.idle.Len())
			}
		}
		for _, c := range held {
			_ = c.Close()
		}
		if l.open != 0 || l.idle.Len() != 0 || len(l.shares.held) != 0 {
			t.Fatalf("left: %d open, %d idle, %v", l.open, l.idle.Len(), l.shares.held)
		}
	})
}
