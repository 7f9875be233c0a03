package fetch

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// host is one entry of what the operator allows: a name, "*." and a domain, or "*"
// for all, and a port; without one, the usual ports of http and https.
type host struct{ name, port string }

func parseHosts(list []string) []host {
	var all []host
	for _, s := range list {
		name, port, err := net.SplitHostPort(s)
		if err != nil {
			name, port = strings.Trim(s, "[]"), ""
		}
		all = append(all, host{plainName(name), port})
	}
	return all
}

func (h host) covers(name, port string) bool {
	if h.port != port && (h.port != "" || port != "80" && port != "443") {
		return false
	}
	domain, wild := strings.CutPrefix(h.name, "*")
	return h.name == name || wild && strings.HasSuffix(name, domain)
}

// plainName is the form in which hosts' names are compared: in ASCII and lower case, without a
// final dot.
func plainName(name string) string {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if ascii, err := idna.Lookup.ToASCII(name); err == nil {
		return ascii
	}
	return name
}

// longest is the most characters of an address.
const longest = 4096

var errAddress = errors.New("not an http or https address without a user")

// target reads an address that a visitor sent or that a server redirects to, and
// returns its host and port.
func target(u *url.URL) (name, port string, err error) {
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return "", "", errAddress
	}
	if port = u.Port(); port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return plainName(u.Hostname()), port, nil
}

// allows reports whether the operator allows a host.
func (f *Fetcher) allows(name, port string) bool {
	return slices.ContainsFunc(*f.hosts.Load(), func(h host) bool { return h.covers(name, port) })
}
