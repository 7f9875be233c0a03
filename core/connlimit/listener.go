// Package connlimit bounds what the clients of a server hold at a time, by address, by
// household and by the wider networks around them: open connections and requests in
// progress.
package connlimit

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// Listener is a listener that bounds how many connections are open, in total and per
// network. When a bound is reached, an idle connection is closed for each new one, the
// longest idle first; visitors wait only while every connection carries a request. Trusted
// proxies have no share, as they carry many visitors, whose requests are counted instead.
type Listener struct {
	net.Listener
	most    int
	trusted func(netip.Addr) bool

	mu      sync.Mutex
	changed *sync.Cond // one became idle or closed, or the listener was closed
	closed  bool
	open    int
	shares  *Shares
	idle    list.List // of *connection without a request, the longest first
}

// New bounds the connections of a listener to most; trusted says which peers are
// proxies. The http.Server needs Follow as its ConnState hook.
func New(l net.Listener, most int, trusted func(netip.Addr) bool) *Listener {
	c := &Listener{Listener: l, most: most, trusted: trusted, shares: NewShares(most)}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// connection is one that is counted.
type connection struct {
	net.Conn
	of   *Listener
	peer netip.Addr    // not valid for a trusted proxy and for what has no address
	idle *list.Element // in the listener's list; nil while it carries a request
	gone bool
}

// Accept returns the next connection that is within its network's share.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !l.await() { // meanwhile it holds one more than are admitted
			_ = conn.Close()
			return nil, net.ErrClosed
		}
		if c := l.admit(conn); c != nil {
			return c, nil
		}
		_ = conn.Close()
	}
}

// await waits until one more can be opened, or an idle one closed for it. It
// returns false if the listener was closed.
func (l *Listener) await() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.open >= l.most && l.idle.Len() == 0 && !l.closed {
		l.changed.Wait()
	}
	return !l.closed
}

// admit counts a connection, and closes an idle one for it if necessary. It
// returns nil if the connection's network has its full share and none is idle.
func (l *Listener) admit(conn net.Conn) *connection {
	c := &connection{Conn: conn, of: l, peer: l.counted(conn)}
	var victim *connection
	l.mu.Lock()
	full := l.shares.full(c.peer)
	switch {
	case full.IsValid():
		if victim = l.longestIdle(full); victim == nil {
			l.mu.Unlock()
			return nil
		}
	case l.open >= l.most && l.idle.Len() > 0:
		victim = l.idle.Front().Value.(*connection)
	}
	if victim != nil {
		victim.rest(false) // so that nobody else chooses it
	}
	l.open++
	l.shares.add(c.peer, 1)
	c.idle = l.idle.PushBack(c)
	l.mu.Unlock()
	if victim != nil {
		_ = victim.Close()
	}
	return c
}

// counted is the address that a connection is counted against.
func (l *Listener) counted(conn net.Conn) netip.Addr {
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	peer := tcp.AddrPort().Addr().Unmap().WithZone("")
	if l.trusted(peer) {
		return netip.Addr{}
	}
	return peer
}

func (l *Listener) longestIdle(within netip.Prefix) *connection {
	for e := l.idle.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*connection); within.Contains(c.peer) {
			return c
		}
	}
	return nil
}

// Close ends the wait for connections too.
func (l *Listener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.changed.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

// Close also stops counting the connection, once.
func (c *connection) Close() error {
	c.of.mu.Lock()
	if !c.gone {
		c.rest(false)
		c.gone = true
		c.of.open--
		c.of.shares.add(c.peer, -1)
		c.of.changed.Signal()
	}
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// rest marks the connection as idle or as carrying a request.
func (c *connection) rest(idle bool) {
	switch {
	case c.gone:
	case idle && c.idle == nil:
		c.idle = c.of.idle.PushBack(c)
		c.of.changed.Signal()
	case !idle && c.idle != nil:
		c.of.idle.Remove(c.idle)
		c.idle = nil
	}
}

// Follow is the http.Server's ConnState hook: it marks connections idle or active.
func Follow(conn net.Conn, state http.ConnState) {
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = encrypted.NetConn()
	}
	c, ok := conn.(*connection)
	if !ok || state != http.StateActive && state != http.StateIdle {
		return
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.rest(state == http.StateIdle)
}
