package config

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// check looks for settings that contradict each other.
func (c *Config) check() (problems Errors) {
	fail := func(key, format string, args ...any) {
		for _, v := range c.values {
			if v.Key == key {
				problems = append(problems, Error{Key: key, Value: v.shown(), Origin: v.Origin, Message: fmt.Sprintf(format, args...)})
			}
		}
	}
	c.checkListeners(fail)
	c.checkFiles(fail)
	if c.Limits.RedisURL != "" && c.Server.DeviceSecret == "" {
		fail("device_secret", "must be set when redis_url is: without it, anyone who can read Redis could recover visitors' addresses from the counters' names; "+
			"run bgremover config secret FILE, set device_secret_file to that file, and use the same one on all replicas")
	}
	if d, n := c.Limits.Device, c.Limits.Network; d.Period != 0 && n.Period != 0 &&
		float64(n.Count)/n.Period.Seconds() < float64(d.Count)/d.Period.Seconds() {
		fail("limits_network", "lets a whole network send less than one device (limits_device is %s)", formatRate(d))
	}
	if i := c.Inference; i.Memory/4 < i.MaxUpload+1 {
		fail("memory", "is less than four times max_upload (%s), and a quarter of it is for uploads", formatSize(i.MaxUpload))
	}
	if e := c.EdgeCaches; (e.Cloudflare.ID == "") != (e.Cloudflare.Token == "") {
		fail("edge_cloudflare_zone", "and edge_cloudflare_token must be set together")
	}
	if e := c.EdgeCaches; (e.Fastly.ID == "") != (e.Fastly.Token == "") {
		fail("edge_fastly_service", "and edge_fastly_token must be set together")
	}
	known := slices.Clone(builtin)
	for _, b := range c.Backends {
		known = append(known, b.Name)
	}
	for _, name := range append([]string{c.Inference.Backend}, c.Inference.BackendNames...) {
		if key := "backend"; !slices.Contains(known, name) {
			if name != c.Inference.Backend {
				key = "api_backends"
			}
			fail(key, "names the backend %s, which is not one of: %s", name, strings.Join(known, ", "))
		}
	}
	var programs []string
	for _, k := range c.Limits.Keys {
		if slices.Contains(programs, k.Name) {
			fail("api_keys", "names %s twice", k.Name)
		}
		programs = append(programs, k.Name)
	}
	return problems
}

func (c *Config) checkListeners(fail func(key, format string, args ...any)) {
	if len(c.Server.Listen) == 0 {
		fail("listen", "must name an address")
	}
	for i, a := range c.Server.Listen {
		if sameAddress(a, c.Operator.Listen) {
			fail("admin_listen", "is the same address as listen (%s)", a)
		}
		if slices.ContainsFunc(c.Server.Listen[:i], func(b string) bool { return sameAddress(a, b) }) {
			fail("listen", "names %s twice", a)
		}
	}
	if isSocket(c.Operator.Listen) && c.Operator.TLSCert != "" {
		fail("admin_tls_cert", "does not apply to a socket; remove it, or listen on an address")
	}
	if !isSocket(c.Operator.Listen) && !Loopback(c.Operator.Listen) && c.Operator.Token == "" && c.Operator.ClientCA == "" {
		fail("admin_listen", "can be reached from other machines, so admin_token or admin_client_ca must be set too (or listen on 127.0.0.1)")
	}
	if (c.Server.TLSCert == "") != (c.Server.TLSKey == "") {
		fail("tls_cert", "and tls_key must be set together")
	}
	if (c.Operator.TLSCert == "") != (c.Operator.TLSKey == "") {
		fail("admin_tls_cert", "and admin_tls_key must be set together")
	}
	if c.Operator.ClientCA != "" && c.Operator.TLSCert == "" {
		fail("admin_client_ca", "needs admin_tls_cert and admin_tls_key")
	}
	if (c.Operator.ClientCert == "") != (c.Operator.ClientKey == "") {
		fail("admin_client_cert", "and admin_client_key must be set together")
	}
}

func (c *Config) checkFiles(fail func(key, format string, args ...any)) {
	for _, key := range []string{"tls_cert", "tls_key", "admin_tls_cert", "admin_tls_key", "admin_client_ca", "admin_client_cert", "admin_client_key"} {
		if c.text(key) == "" {
			continue
		}
		f, err := os.Open(c.text(key))
		if err != nil {
			fail(key, "cannot be read: %v", err)
			continue
		}
		f.Close()
	}
	if c.Folders.Data == "" {
		fail("data_dir", "must be set, as there is no home directory")
	}
	if c.Log.Access == "file" && strings.ContainsAny(c.Folders.Logs, `%[]*?\`) {
		fail("log_dir", `has one of %%[]*?\ in its path, which the log rotation would read as a pattern`)
	}
	if c.Log.Access == "file" && c.Folders.Logs == c.Folders.Data {
		fail("log_dir", "is data_dir, but the logs need a folder of their own, such as %s", filepath.Join(c.Folders.Data, "logs"))
	}
}

// Loopback reports whether only this machine can reach a listener's address.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Socket returns the path of the operator's socket, "" where there is none.
func (o Operator) Socket() string {
	if !isSocket(o.Listen) {
		return ""
	}
	return strings.TrimPrefix(o.Listen, "unix:")
}

// MadeToken is the file of the token that the server generates; "" if access is
// controlled in another way.
func (c *Config) MadeToken() string {
	if o := c.Operator; o.Token != "" || o.ClientCA != "" || o.Socket() != "" {
		return ""
	}
	return filepath.Join(c.Folders.Data, "admin-token")
}

// sameAddress reports whether two listeners would need the same port of the same
// host. For port 0 the system chooses one, which is never the same.
func sameAddress(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	all := func(host string) bool { return host == "" || host == "0.0.0.0" || host == "::" }
	return hostA == hostB || all(hostA) || all(hostB)
}
