package connlimit

import (
	"net/netip"
	"sync"
)

// Shares counts what clients hold, and bounds it by address, by household and by
// the wider networks around them, as the limits on photos do: the owner of a
// block of addresses is not a thousand visitors.
type Shares struct {
	one int // what one IPv4 address or one IPv6 /64 may hold

	mu   sync.Mutex
	held map[netip.Prefix]int
}

// levels are the networks around an address, and how much of its own share each
// may hold.
var (
	levels4 = []level{{32, 1}, {24, 4}}
	levels6 = []level{{64, 1}, {56, 4}, {48, 16}}
)

type level struct{ bits, times int }

// NewShares gives one address a 64th of the total, or sixteen if that is more: a
// browser opens six connections, and several people share an address.
func NewShares(all int) *Shares {
	return &Shares{one: min(all, max(16, all/64)), held: map[netip.Prefix]int{}}
}

// full returns the network around the address that has its full share; it is not
// valid if there is none.
func (s *Shares) full(peer netip.Addr) netip.Prefix {
	for _, r := range levelsOf(peer) {
		if p := network(peer, r.bits); s.held[p] >= s.one*r.times {
			return p
		}
	}
	return netip.Prefix{}
}

func (s *Shares) add(peer netip.Addr, n int) {
	for _, r := range levelsOf(peer) {
		p := network(peer, r.bits)
		if s.held[p] += n; s.held[p] == 0 {
			delete(s.held, p)
		}
	}
}

// Take counts one more for an address, and reports whether it may have it.
func (s *Shares) Take(peer netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full(peer).IsValid() {
		return false
	}
	s.add(peer, 1)
	return true
}

// Give takes back what Take counted.
func (s *Shares) Give(peer netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(peer, -1)
}

// levelsOf returns none for a client without an address.
func levelsOf(peer netip.Addr) []level {
	switch {
	case peer.Is6():
		return levels6
	case peer.Is4():
		return levels4
	}
	return nil
}

func network(a netip.Addr, bits int) netip.Prefix {
	p, _ := a.Prefix(bits) // not valid where there is no address
	return p
}
