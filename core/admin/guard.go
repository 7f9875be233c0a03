package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
)

// Access says who may use the operator's listener.
type Access struct {
	Token string // empty: none is asked for
	// Cert, Key and ClientCA are PEM files. With a ClientCA, clients show a
	// certificate that it signed.
	Cert, Key, ClientCA string
}

// errOpen is what keeps a page that can change limits off the network.
var errOpen = errors.New("can be reached from other machines, so a token or a client certificate must be asked for")

// listen takes an address, but no open one.
func (a Access) listen(address string) (net.Listener, error) {
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
			return nil, errors.New("client certificates need a certificate of the operator's listener")
		}
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(a.Cert, a.Key)
	if err != nil {
		return nil, fmt.Errorf("the operator's certificate: %w", err)
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

// guard lets in who knows the token, if there is one. Browsers send it as the
// password of Basic authentication, scripts as a bearer. Where none is asked
// for, the address must have been typed as one of this machine: a foreign page
// may point a name of its own at it (DNS rebinding), and would then be, to the
// browser, of the same origin.
func (a Access) guard(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(a.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.Token == "" {
			if a.ClientCA == "" && !ownName(r.Host) {
				http.Error(w, "This page is served to this machine's own addresses only, such as 127.0.0.1 or localhost.", http.StatusMisdirectedRequest)
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !bearer {
			_, given, _ = r.BasicAuth()
		}
		got := sha256.Sum256([]byte(given))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="operator", charset="UTF-8"`)
			http.Error(w, "The operator's token is asked for: as a password (any name), or in the header Authorization: Bearer TOKEN.", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func ownName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// policy allows this page its own files and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

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
