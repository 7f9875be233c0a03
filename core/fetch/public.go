package fetch

import (
	"net"
	"net/netip"
)

// reserved4 lists the IPv4 addresses that are not on the public internet, or that
// lead back to this machine or its cloud (IANA's special-purpose registry).
var reserved4 = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // a cloud's own services, though its address looks public
)

// global6 is all that is assigned as public IPv6. Outside it lie loopback, local and
// IPv4-mapped addresses and NAT64; reserved6 lists what inside it leads to an IPv4
// address (Teredo, 6to4) or nowhere.
var (
	global6   = netip.MustParsePrefix("2000::/3")
	reserved6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

func prefixes(all ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, p := range all {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}

// Public reports whether an address is on the public internet and not one of this
// machine's own.
func Public(a netip.Addr) bool {
	if a = a.Unmap(); a.Zone() != "" || !a.IsValid() || within(a, reserved4) || within(a, reserved6) {
		return false
	}
	return (a.Is4() || global6.Contains(a)) && !own(a)
}

func within(a netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// own reports whether an address belongs to this machine: what listens there may be
// meant for its neighbours only.
func own(a netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, n := range all {
		if network, ok := n.(*net.IPNet); ok && network.IP.Equal(a.AsSlice()) {
			return true
		}
	}
	return false
}
