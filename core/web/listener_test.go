package web

import (
	"net"
	"net/netip"
	"testing"
)

// scripted is a listener whose connections come from given addresses.
type scripted struct {
	net.Listener
	peers []string
	ends  []net.Conn
}

type scriptedConn struct {
	net.Conn
	peer net.Addr
}

func (c *scriptedConn) RemoteAddr() net.Addr { return c.peer }

func (s *scripted) Accept() (net.Conn, error) {
	if len(s.peers) == 0 {
		return nil, net.ErrClosed
	}
	peer := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s.peers[0]))
	s.peers = s.peers[1:]
	ours, theirs := net.Pipe()
	s.ends = append(s.ends, theirs)
	return &scriptedConn{ours, peer}, nil
}

func TestOneAddressCannotHoldEveryConnection(t *testing.T) {
	exempt := func(a netip.Addr) bool { return a.IsPrivate() }
	inner := &scripted{peers: []string{
		"203.0.113.1:1", "203.0.113.1:2", "203.0.113.1:3", // the third is over
		"203.0.113.2:1", "[::ffff:203.0.113.2]:2", "203.0.113.2:3",
		"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "[2001:db8:0:1::1]:1",
		"10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3",
	}}
	l := newFairListener(inner, 2, exempt)
	var held []net.Conn
	for {
		conn, err := l.Accept()
		if err != nil {
			break
		}
		held = append(held, conn)
	}
	if len(held) != 2+2+3+3 {
		t.Fatalf("%d connections are held", len(held))
	}
	_ = held[0].Close()
	_ = held[0].Close() // http.Server closes twice at times
	inner.peers = []string{"203.0.113.1:4", "203.0.113.1:5"}
	if conn, err := l.Accept(); err != nil {
		t.Error("a connection given back cannot be had again")
	} else {
		held = append(held, conn)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("closing twice gave two back")
	}
	for _, conn := range append(held, inner.ends...) {
		_ = conn.Close()
	}
	if len(l.held) != 0 {
		t.Errorf("left: %v", l.held)
	}
}
