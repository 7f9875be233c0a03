package admin

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// The free space of a folder's disk below which the operator should act: both less
// than a share of the disk and less than a number of bytes.
const (
	tightShare = .05
	tightBytes = 5 << 30
)

// todo lists what the operator should do, the most urgent first.
func (s *Server) todo() (all []string) {
	for _, b := range s.Sources.Backends.Snapshot() {
		if b.Serving && b.Why != "" { // a fallback says why
			all = append(all, fmt.Sprintf("The fallback %s serves, %s.", b.Name, strings.TrimSuffix(b.Why, ".")))
		}
	}
	for _, folder := range s.Sources.Folders {
		if free, tight := diskTight(folder); tight {
			all = append(all, fmt.Sprintf("The disk of %s is nearly full: %s left.", folder, showBytes(free)))
			break // the other folders are mostly on the same one
		}
	}
	if log := s.Sources.AccessLog; log != nil {
		st := log.Status()
		limit := time.Duration(st.Days+1) * 24 * time.Hour
		if st.Err != nil || !st.Oldest.IsZero() && time.Since(st.Oldest) > limit {
			all = append(all, fmt.Sprintf("Access logs older than %d days are not being removed; see “Access log”.", st.Days))
		}
	}
	if s.Sources.Limiter != nil {
		if degraded, _ := s.Sources.Limiter.Degraded(); degraded {
			all = append(all, "Redis does not respond, so this replica counts on its own.")
		}
	}
	if s.plainText() {
		all = append(all, "Photos and results cross the network unencrypted: set tls_cert and tls_key, or put a proxy with TLS in front and set trusted_proxies and public_url.")
	}
	if s.setting("contact_email").Value == "" {
		all = append(all, "The contact page shows no e-mail address: set contact_email.")
	}
	return all
}

// plainText reports whether other machines can reach the public listener, with
// nothing that encrypts.
func (s *Server) plainText() bool {
	for _, key := range []string{"tls_cert", "trusted_proxies"} {
		if s.setting(key).Value != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(s.setting("listen").Value)
	if err != nil || strings.HasPrefix(s.setting("public_url").Value, "https:") {
		return false
	}
	address, err := netip.ParseAddr(host)
	return host != "localhost" && (err != nil || !address.IsLoopback())
}

func diskTight(folder string) (free float64, tight bool) {
	var disk syscall.Statfs_t
	if syscall.Statfs(folder, &disk) != nil || disk.Blocks == 0 {
		return 0, false
	}
	free = float64(disk.Bavail) * float64(disk.Bsize)
	return free, free < tightBytes && float64(disk.Bavail) < tightShare*float64(disk.Blocks)
}
