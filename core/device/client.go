package device

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Client returns the address that a request came from: the peer's, or, where
// the peer is a trusted proxy, the rightmost address of X-Forwarded-For that is
// not one. Anything to the left of it may be forged.
func (i *Identifier) Client(r *http.Request) netip.Addr {
	peer := peerOf(r)
	if !i.trusted(peer) {
		i.warn(r, peer)
		return peer
	}
	client := peer
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for n := len(hops) - 1; n >= 0; n-- {
		hop, ok := parseHop(hops[n])
		if !ok {
			break // a trusted hop wrote something else: ignore what is further left
		}
		client = hop
		if !i.trusted(hop) {
			break
		}
	}
	return client
}

// Secure says whether the visitor's own connection is encrypted, which a
// trusted proxy may state.
func (i *Identifier) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	return i.trusted(peerOf(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// IgnoredForwarded says whether a peer that is not a trusted proxy has sent
// forwarded addresses: most likely a proxy that the operator forgot to name,
// behind which all visitors share one address.
func (i *Identifier) IgnoredForwarded() bool { return i.ignored.Load() }

func (i *Identifier) warn(r *http.Request, peer netip.Addr) {
	h := r.Header
	if h["X-Forwarded-For"] == nil && h["Forwarded"] == nil && h["X-Real-Ip"] == nil {
		return
	}
	if i.ignored.Swap(true) {
		return
	}
	// A public peer is most likely a visitor, whose address stays out of the log.
	who := "a public address"
	if peer.IsLoopback() || peer.IsPrivate() {
		who = peer.String()
	}
	i.log.Warn("ignoring forwarded client addresses from a peer that is not a trusted proxy; "+
		"if it is your proxy, add it to BGREMOVER_TRUSTED_PROXIES", "peer", who)
}

// Trusted says whether a peer is one of the trusted proxies.
func (i *Identifier) Trusted(peer netip.Addr) bool { return i.trusted(peer.Unmap().WithZone("")) }

func (i *Identifier) trusted(a netip.Addr) bool {
	for _, p := range i.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func peerOf(r *http.Request) netip.Addr {
	peer, _ := parseHop(r.RemoteAddr)
	return peer
}

// parseHop parses an address with or without a port, brackets or a zone.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return a.Unmap().WithZone(""), err == nil
}

func networkOf(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}
