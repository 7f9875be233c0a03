package admin

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"bgremover.pro/core/cutout"
)

// The free space of a folder's disk below which the operator should act: both less
// than a share of the disk and less than a number of bytes.
const (
	tightShare = .05
	tightBytes = 5 << 30
)

// renewal is how long before a certificate expires the operator is reminded.
const renewal = 14 * 24 * time.Hour

// floodRate is the number of refusals a second above which the operator is informed.
const floodRate = 20

// todo lists what the operator should do, the most urgent first.
func (s *Server) todo() (all []string) {
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	backends := s.Sources.Backends.Snapshot()
	serves := func(b cutout.BackendStatus) bool { return b.Serving }
	fails := func(b cutout.BackendStatus) bool { return b.State == "unavailable" || b.LastError != "" }
	if slices.ContainsFunc(backends, fails) && !slices.ContainsFunc(backends, serves) {
		add("Photos are refused, as no backend serves: use another one below, or see the last error.")
	}
	for _, b := range backends {
		if b.Serving && b.Why != "" { // a fallback says why
			add("The fallback %s serves, %s.", b.Name, strings.TrimSuffix(b.Why, "."))
		}
	}
	if s.Sources.Damaged != nil {
		if err := s.Sources.Damaged(); err != nil {
			add("The default model cannot be loaded again once its backend restarts: %s Install it again with bgremover models pull.", sentence(err))
		}
	}
	s.load(add)
	for _, folder := range s.Sources.Folders {
		if free, size, ok := disk(folder); ok && free < tightBytes && free < tightShare*size {
			add("The disk of %s is nearly full: %s left. Remove models that are not used, or keep access logs for fewer days.", folder, showBytes(free))
			break // the other folders are mostly on the same one
		}
	}
	if log := s.Sources.AccessLog; log != nil {
		st := log.Status()
		limit := time.Duration(st.Days+1) * 24 * time.Hour
		if st.Err != nil || !st.Oldest.IsZero() && time.Since(st.Oldest) > limit {
			add("Access logs older than %d days are not being removed; see “Access log”.", st.Days)
		}
	}
	if s.Sources.Limiter != nil {
		if degraded, _ := s.Sources.Limiter.Degraded(); degraded {
			add("Redis does not respond, so this replica counts on its own, and reconnects by itself; see whether Redis runs.")
		}
	}
	s.setup(add)
	return all
}

// load reports overload, and a wrong clock.
func (s *Server) load(add func(string, ...any)) {
	if n := s.watch.rejected(); n > 0 {
		add("The queue is full: %d photos were refused in the last seconds. If it lasts, lower the limits, or block the busiest devices.", n)
	}
	if s.Sources.Queue().Tight {
		add("Photos wait for memory, which large photos and results that are not fetched hold: lower max_pixels, or raise memory.")
	}
	if rate := s.watch.refused(); rate > floodRate {
		add("Limits and queue refuse %.0f requests a second; see “Busiest devices”; they can be blocked there.", rate)
	}
	if by, at := s.watch.jumped(); time.Since(at) < time.Hour {
		add("The clock jumped by %s at %s UTC; check its synchronisation.", by.Round(time.Second), stamp(at))
	}
}

// setup says what is missing in the configuration.
func (s *Server) setup(add func(string, ...any)) {
	if s.Sources.Certificates != nil {
		for _, cert := range s.Sources.Certificates() {
			setting := map[string]string{"public": "tls_cert", "operator": "admin_tls_cert"}[cert.Listener]
			switch left := time.Until(cert.Expires); {
			case left <= 0:
				add("The certificate of the %s listener expired on %s: browsers refuse it. Replace the file of %s and restart.", cert.Listener, stamp(cert.Expires), setting)
			case left < renewal:
				add("The certificate of the %s listener expires on %s: replace the file of %s before that, and restart.", cert.Listener, stamp(cert.Expires), setting)
			}
		}
	}
	if s.plainText() {
		add("Photos and results cross the network unencrypted: set tls_cert and tls_key, or put a proxy with TLS in front and set trusted_proxies and public_url.")
	}
	if s.setting("contact_email").Value == "" {
		add("The contact page shows no e-mail address: set contact_email.")
	}
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

// disk returns the free space and the size of a folder's disk, in bytes.
func disk(folder string) (free, size float64, ok bool) {
	var disk syscall.Statfs_t
	if syscall.Statfs(folder, &disk) != nil || disk.Blocks == 0 {
		return 0, 0, false
	}
	return float64(disk.Bavail) * float64(disk.Bsize), float64(disk.Blocks) * float64(disk.Bsize), true
}
