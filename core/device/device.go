// Package device distinguishes devices just well enough to share the machine fairly: a
// short identifier made from the User-Agent and the client's address with a key that
// changes daily and is linked to nothing else.
package device

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// idLength is the number of characters of an identifier: 80 bits in base32.
const idLength = 16

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Device is the sender of a request, as far as the server distinguishes senders.
type Device struct {
	// ID is 16 characters of a-z and 2-7; it changes daily.
	ID string
	// Network is the client's IPv4 /32 or IPv6 /64; the zero Prefix where the
	// request came over something without addresses.
	Network netip.Prefix
	// Address is the client's own address.
	Address netip.Addr
	// Returning says that the identifier came with a valid cookie.
	Returning bool
	// CookieEnds is the longest that the cookie stays valid; 0 without one.
	CookieEnds time.Duration
}

// Household is the network that the visitors of one home share: an IPv4 address, or
// an IPv6 /56; the zero Prefix for a client without an address.
func (d Device) Household() netip.Prefix {
	bits := 32
	if d.Address.Is6() {
		bits = 56
	}
	p, _ := d.Address.Prefix(bits)
	return p
}

// Options says how devices are distinguished.
type Options struct {
	// Secret, where replicas must agree on identifiers, is what each day's key
	// is derived from. Empty means random keys that never leave memory, which is
	// stronger: nobody can then compute an identifier afterwards.
	Secret []byte
	// TrustedProxies are the peers whose X-Forwarded-For counts.
	TrustedProxies []netip.Prefix
	// Log gets one warning when forwarded addresses come from another peer.
	Log *slog.Logger
	// Now is the wall clock; nil means time.Now.
	Now func() time.Time
	// Ticks is the monotonic time since some start, which setting the wall clock
	// does not change; nil means this process's own.
	Ticks func() time.Duration
}

// Identifier identifies devices. It is safe for concurrent use.
type Identifier struct {
	keys    *keyring
	proxies []netip.Prefix
	log     *slog.Logger
	ignored atomic.Bool
}

// New makes an Identifier.
func New(o Options) *Identifier {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Ticks == nil {
		start := time.Now()
		o.Ticks = func() time.Duration { return time.Since(start) }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Identifier{keys: newKeyring(o.Secret, o.Now, o.Ticks), proxies: o.TrustedProxies, log: o.Log}
}

// Identify returns the device of a valid cookie, else what Derive returns.
func (i *Identifier) Identify(r *http.Request) Device {
	d := i.Derive(r)
	if id, ends := i.fromCookie(r); ends > 0 {
		d.ID, d.Returning, d.CookieEnds = id, true, ends
	}
	return d
}

// Derive returns the device by its User-Agent and address alone, so that a
// visitor who drops the cookie stays the same device.
func (i *Identifier) Derive(r *http.Request) Device {
	address := i.Client(r)
	network := networkOf(address)
	key := i.keys.current()
	sum := sign(key, "v1", network.String(), r.UserAgent())
	return Device{ID: encoding.EncodeToString(sum)[:idLength], Network: network, Address: address}
}

// Rotate discards expired keys. Requests do that too; a server without visitors
// needs the call.
func (i *Identifier) Rotate() { i.keys.current() }

// KeyEnds returns the time until the key changes, and with it the identifiers
// of all devices without a cookie.
func (i *Identifier) KeyEnds() time.Duration { return i.keys.left() }

// sign is HMAC-SHA-256 over parts separated by a byte that no header contains.
func sign(key []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(parts, "\x00")))
	return mac.Sum(nil)
}

// The only cookie: its name, the only path it is sent to, and its lifetime in
// seconds, one day.
const (
	CookieName   = "session"
	CookiePath   = "/device/"
	cookieMaxAge = 86400
)

// Cookie returns the cookie that carries the device's identifier:
// v1.<id>.<mac>. Secure is for visitors that came over TLS.
func (i *Identifier) Cookie(d Device, secure bool) *http.Cookie {
	return newCookie("v1."+d.ID+"."+macOf(i.keys.current(), d.ID), cookieMaxAge, secure)
}

// ExpiredCookie returns a cookie that makes the browser delete it.
func ExpiredCookie(secure bool) *http.Cookie {
	return newCookie("", -1, secure)
}

func newCookie(value string, maxAge int, secure bool) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: Secure follows the connection, a plain-HTTP LAN would drop the cookie
		Name: CookieName, Value: value, Path: CookiePath, MaxAge: maxAge,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// fromCookie returns the identifier of a cookie signed today or yesterday, and
// how long it stays valid at most. A tampered, old or repeated cookie counts as
// none: 0.
func (i *Identifier) fromCookie(r *http.Request) (string, time.Duration) {
	cookies := r.CookiesNamed(CookieName)
	if len(cookies) != 1 {
		return "", 0
	}
	parts := strings.Split(cookies[0].Value, ".")
	if len(parts) != 3 || parts[0] != "v1" || len(parts[1]) != idLength {
		return "", 0
	}
	today, previous := i.keys.both()
	signedBy := func(key []byte) bool {
		return key != nil && hmac.Equal([]byte(parts[2]), []byte(macOf(key, parts[1])))
	}
	switch {
	case signedBy(today):
		return parts[1], cookieMaxAge * time.Second
	case signedBy(previous):
		return parts[1], i.keys.left()
	}
	return "", 0
}

// macOf signs an identifier; its first part keeps it apart from identifiers.
func macOf(key []byte, id string) string {
	return base64.RawURLEncoding.EncodeToString(sign(key, "cookie v1", id)[:16])
}
