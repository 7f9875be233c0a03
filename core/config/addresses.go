package config

import (
	"errors"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

var prefix = kind[netip.Prefix]{"addresses such as 10.0.0.1 or 10.0.0.0/8", parsePrefix, netip.Prefix.String}

func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, errForm
	}
	return p.Masked(), nil
}

var proxy = kind[netip.Prefix]{"proxies' " + prefix.accepts + " (not the whole internet)", func(s string) (netip.Prefix, error) {
	p, err := parsePrefix(s)
	if err == nil && p.Bits() == 0 {
		err = errors.New("trusts every address, so that anyone could forge theirs")
	}
	return p, err
}, netip.Prefix.String}

func isAddress(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n <= 65535 && !strings.ContainsAny(host, " /\\")
}

// isHostPattern accepts a host's name, perhaps after "*.", or "*", and perhaps a port.
func isHostPattern(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = s, "80"
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return false
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return a.Zone() == ""
	}
	host = strings.TrimPrefix(host, "*.")
	return host == "*" || host != "" && !strings.HasPrefix(host, ".") && !strings.ContainsFunc(host, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '.' && r != '_'
	})
}

func isSocket(s string) bool {
	path, ok := strings.CutPrefix(s, "unix:")
	return ok && filepath.IsAbs(path)
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		u.User == nil && u.RawQuery == "" && u.Fragment == "" && strings.TrimSuffix(u.Path, "/") == ""
}

func isAccount(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	})
}

func isRedisURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "unix" && u.Path != "" || (u.Scheme == "redis" || u.Scheme == "rediss") && u.Host != "")
}

func isName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == "" && s[0] != '-' && s[0] != '.'
}

// folder makes paths absolute, so that a later change of directory is harmless.
var folder = kind[string]{"a path", func(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return "", errForm
	}
	return filepath.Abs(s)
}, func(s string) string { return s }}
