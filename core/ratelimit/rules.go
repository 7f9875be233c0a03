package ratelimit

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/ulule/limiter/v3"
)

// Rate is a number of requests in a period; the zero Rate means no limit.
type Rate struct {
	Count  int64
	Period time.Duration
}

// Rules say what is allowed.
type Rules struct {
	Device  Rate
	Network Rate // per IPv4 address and IPv6 /64
	Routes  []RouteRate
	// Overrides are other rates for some senders; the most specific applies.
	Overrides []Override
	Keys      []APIKey
}

// RouteRate is a device's own rate on one route.
type RouteRate struct {
	Route string
	Rate  Rate
}

// Override is the rate of one device, or of the addresses in a prefix: it then
// applies to each of their devices and networks, without a ceiling above.
type Override struct {
	Device string
	Prefix netip.Prefix
	Rate   Rate
	Block  bool
}

// APIKey is a program's key, known by its SHA-256 only.
type APIKey struct {
	Name   string
	SHA256 [32]byte
	Rate   Rate
}

// The ceilings of wider networks, as multiples of the network's rate: the owner
// of a block of addresses is not a thousand visitors.
var (
	ceilings4 = []ceiling{{24, 4}}
	ceilings6 = []ceiling{{56, 4}, {48, 16}}
)

type ceiling struct {
	bits  int
	times int64
}

// bucket is one counter that a request is charged to.
type bucket struct {
	name string // as shown to the visitor
	kind string // as counted by the metric
	key  string
	rate limiter.Rate
}

func (r *Rules) blocks(key Key) bool {
	device, network := r.overrides(key)
	return device != nil && device.Block || network != nil && network.Block
}

// overrides finds the entries for a device and for an address.
func (r *Rules) overrides(key Key) (device, network *Override) {
	addr := key.Addr.Unmap().WithZone("")
	for i, o := range r.Overrides {
		switch {
		case o.Device != "":
			if o.Device == key.Device {
				device = &r.Overrides[i]
			}
		case covers(o.Prefix, addr) && (network == nil || o.Prefix.Bits() > network.Prefix.Bits()):
			network = &r.Overrides[i]
		}
	}
	return device, network
}

// covers also matches a longer IPv6 prefix by the visitor's /64, as no more of
// the address may be known.
func covers(p netip.Prefix, addr netip.Addr) bool {
	if p.Addr().Is6() && p.Bits() > 64 {
		p = netip.PrefixFrom(p.Addr(), 64)
	}
	return p.Contains(addr)
}

// buckets lists the counters of a request, the narrowest first.
func (r *Rules) buckets(key Key) []bucket {
	if key.Program != "" {
		for _, k := range r.Keys {
			if k.Name == key.Program {
				return appendBucket(nil, "key", "key", []byte(k.Name), k.Rate)
			}
		}
	}
	device, network, ceilings := r.Device, r.Network, true
	id := key.Device
	for _, own := range r.Routes {
		if own.Route == key.Route {
			device, id = own.Rate, key.Device+"@"+key.Route
		}
	}
	o, n := r.overrides(key)
	if n != nil {
		device, network, ceilings = n.Rate, n.Rate, false
	}
	if o != nil {
		device = o.Rate
	}
	all := make([]bucket, 0, 4)
	if key.Device != "" {
		all = appendBucket(all, "device", "device", []byte(id), device)
	}
	return appendNetwork(all, key.Addr, network, ceilings)
}

func appendNetwork(all []bucket, addr netip.Addr, rate Rate, ceilings bool) []bucket {
	addr = addr.Unmap().WithZone("")
	bits, wider := 32, ceilings4
	if addr.Is6() {
		bits, wider = 64, ceilings6
	}
	if !addr.IsValid() {
		// A listener without addresses, such as a Unix socket: one network.
		return appendBucket(all, "network", "network", nil, rate)
	}
	all = appendBucket(all, "network", "network", prefixBytes(addr, bits), rate)
	if ceilings {
		for _, c := range wider {
			all = appendBucket(all, "network", "ceiling", prefixBytes(addr, c.bits), Rate{rate.Count * c.times, rate.Period})
		}
	}
	return all
}

func prefixBytes(addr netip.Addr, bits int) []byte {
	p, err := addr.Prefix(bits)
	if err != nil {
		return nil // not with these lengths
	}
	b, _ := p.MarshalBinary()
	return b
}

// appendBucket omits limits that are off. The period is part of the name: when it
// changes, a new window starts at once, in every store alike.
func appendBucket(all []bucket, name, kind string, id []byte, r Rate) []bucket {
	if r.Count <= 0 || r.Period <= 0 {
		return all
	}
	key := make([]byte, 0, 48)
	key = append(key, name[0], '|')
	key = append(key, id...)
	key = binary.BigEndian.AppendUint64(key, uint64(r.Period))
	return append(all, bucket{name, kind, string(key), limiter.Rate{Period: r.Period, Limit: r.Count}})
}
