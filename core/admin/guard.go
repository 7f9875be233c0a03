package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"bgremover.pro/core/ratelimit"
)

// Access says who may use the operator's listener.
type Access struct {
	// Token is required by the page and its actions; empty: none, which is for
	// sockets, client certificates and tests.
	Token string
	// OpenMetrics lets /metrics be read without the token.
	OpenMetrics bool
	// Cert, Key and ClientCA are PEM files. With a ClientCA, clients must
	// present a certificate that it signed.
	Cert, Key, ClientCA string
}

// errOpen is what keeps a page that can change limits off the network.
var errOpen = errors.New("can be reached from other machines, so a token or a client certificate must be required (admin_token, admin_client_ca)")

// listen binds an address, but refuses an unprotected one.
func (a Access) listen(address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return listenSocket(path)
	}
	if !loopback(address) && a.Token == "" && a.ClientCA == "" {
		return nil, fmt.Errorf("the operator's address %s %w", address, errOpen)
	}
	config, err := a.tls()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err == nil && config != nil {
		l = tls.NewListener(l, config)
	}
	return l, err
}

func (a Access) tls() (*tls.Config, error) {
	if a.Cert == "" {
		if a.ClientCA != "" {
			return nil, errors.New("client certificates (admin_client_ca) need a certificate of the operator's listener (admin_tls_cert)")
		}
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(a.Cert, a.Key)
	if err != nil {
		return nil, fmt.Errorf("the operator's certificate cannot be used: %w", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if a.ClientCA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(a.ClientCA)
	if err != nil {
		return nil, err
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", a.ClientCA)
	}
	return config, nil
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// door checks the token and slows down guessing: it examines ten wrong ones a minute from
// one address (and, as for photos, four times as many from the network around it). A
// correct token is never charged.
type door struct {
	Access
	want   [sha256.Size]byte
	local  bool // only this machine reaches the listener
	socket bool // and only its owner
	log    *slog.Logger

	mu    sync.Mutex // so that reading the count, checking a token and counting are one step
	wrong *ratelimit.Limiter
}

func newDoor(o Options) (*door, error) {
	wrong, err := ratelimit.New(ratelimit.Options{Rules: ratelimit.Rules{Network: ratelimit.Rate{Count: 10, Period: time.Minute}}, MaxKeys: 10_000})
	return &door{Access: o.Access, want: sha256.Sum256([]byte(o.Access.Token)), wrong: wrong, log: o.Log,
		local: loopback(o.Listen), socket: strings.HasPrefix(o.Listen, "unix:")}, err
}

// knows reports whether a request is authorised; if not, after what time another
// token will be examined, 0 for at once.
func (d *door) knows(r *http.Request) (known bool, retry time.Duration) {
	if d.Token == "" {
		return true, 0
	}
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		_, given, _ = r.BasicAuth()
	}
	if given == "" {
		return false, 0
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	key := ratelimit.Key{Addr: peer.Addr().Unmap().WithZone("")}
	d.mu.Lock()
	defer d.mu.Unlock()
	if left := d.wrong.Peek(r.Context(), key); len(left.Quotas) > 0 && left.Quotas[0].Remaining < 1 {
		return false, max(left.RetryAfter, time.Second)
	}
	got := sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(got[:], d.want[:]) == 1 {
		return true, 0
	}
	d.wrong.Charge(r.Context(), key, 1)
	d.log.Warn("wrong token on the operator's listener")
	return false, 0
}

// guard requires the token, if there is one. Browsers send it as the password of
// Basic authentication, scripts as a bearer token: unlike a cookie, neither is
// sent along by a page of another origin. Without a token, the Host header must be
// an address of this machine: a foreign page may point a name of its own at it
// (DNS rebinding), and the browser would then take it for the same origin.
func (d *door) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.Token == "" && d.ClientCA == "" && !d.socket && !ownName(r.Host) {
			http.Error(w, "This page is available only at this machine's own addresses, such as 127.0.0.1 or localhost.", http.StatusMisdirectedRequest)
			return
		}
		switch known, retry := d.knows(r); {
		case known:
			next.ServeHTTP(w, r)
		case retry > 0:
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(retry.Seconds()))))
			http.Error(w, "Too many wrong tokens from this address. Try again after the time in Retry-After.", http.StatusTooManyRequests)
		default:
			w.Header().Set("WWW-Authenticate", `Basic realm="operator", charset="UTF-8"`)
			http.Error(w, "The operator's token is required: as the password (with any user name), or in the header Authorization: Bearer TOKEN. "+
				"It is the setting admin_token, or else in the file admin-token of the data folder.", http.StatusUnauthorized)
		}
	})
}

// metrics serves without a token if so configured, but not to a page that points a
// name of its own at this machine.
func (d *door) metrics(open http.Handler) http.Handler {
	guarded := d.guard(open)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.OpenMetrics && (!d.local || ownName(r.Host)) {
			open.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

func ownName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// policy allows this page its own files, pictures within it, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "private, no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
