package web

import (
	"net"
	"net/netip"
	"sync"
)

// share is the part of all connections that one address may hold: a quarter.
const share = 4

// fairListener keeps one address (IPv6: one /64) from holding every connection
// there is. What comes beyond its share is closed at once.
type fairListener struct {
	net.Listener
	most   int
	exempt func(netip.Addr) bool

	mu   sync.Mutex
	held map[netip.Prefix]int
}

func newFairListener(l net.Listener, most int, exempt func(netip.Addr) bool) *fairListener {
	return &fairListener{Listener: l, most: max(most, 1), exempt: exempt, held: map[netip.Prefix]int{}}
}

// Accept returns the next connection that is within its address's share.
func (l *fairListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
		if !ok {
			return conn, nil
		}
		peer := tcp.AddrPort().Addr().Unmap().WithZone("")
		if l.exempt(peer) {
			return conn, nil
		}
		if whose := prefixOf(peer); l.take(whose) {
			return &heldConn{Conn: conn, release: sync.OnceFunc(func() { l.give(whose) })}, nil
		}
		_ = conn.Close()
	}
}

func prefixOf(peer netip.Addr) netip.Prefix {
	bits := 32
	if peer.Is6() {
		bits = 64
	}
	p, _ := peer.Prefix(bits) // cannot fail with these lengths
	return p
}

func (l *fairListener) take(whose netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[whose] >= l.most {
		return false
	}
	l.held[whose]++
	return true
}

func (l *fairListener) give(whose netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[whose]--; l.held[whose] == 0 {
		delete(l.held, whose)
	}
}

type heldConn struct {
	net.Conn
	release func()
}

func (c *heldConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
