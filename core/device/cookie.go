package device

import (
	"crypto/hmac"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

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
