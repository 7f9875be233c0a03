package admin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/admin"
)

// authority signs certificates and keeps them as PEM files.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.issue(name, true)
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name+".pem") }

// issue writes NAME.pem and NAME-key.pem.
func (a *authority) issue(name string, isCA bool) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: isCA, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{a.file(name): {Type: "CERTIFICATE", Bytes: der}, a.file(name + "-key"): {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return cert, key
}

func TestClientCertificates(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	ours.issue("server", false)
	ours.issue("operator", false)
	theirs.issue("stranger", false)
	o := start(t, admin.Access{Cert: ours.file("server"), Key: ours.file("server-key"), ClientCA: ours.file("ours")})
	base := "https" + strings.TrimPrefix(o.base, "http")

	ask := func(a *authority, name string) (*http.Response, error) {
		roots := x509.NewCertPool()
		roots.AddCert(ours.cert)
		config := &tls.Config{RootCAs: roots}
		if a != nil {
			pair, err := tls.LoadX509KeyPair(a.file(name), a.file(name+"-key"))
			if err != nil {
				t.Fatal(err)
			}
			// Presented whatever authorities the server requests.
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
		transport := &http.Transport{TLSClientConfig: config}
		defer transport.CloseIdleConnections()
		got, err := (&http.Client{Transport: transport}).Get(base + "/backends.json")
		if err == nil {
			got.Body.Close()
		}
		return got, err
	}
	if got, err := ask(ours, "operator"); err != nil || got.StatusCode != http.StatusOK {
		t.Errorf("our certificate: %v, %v", got, err)
	}
	if _, err := ask(theirs, "stranger"); err == nil {
		t.Error("a certificate of another authority was accepted")
	}
	if _, err := ask(nil, ""); err == nil {
		t.Error("a client without a certificate was accepted")
	}
}

func TestCertificatesThatDoNotWork(t *testing.T) {
	a := newAuthority(t, "ours")
	a.issue("server", false)
	for name, access := range map[string]admin.Access{
		"no such file":        {Cert: "/nowhere", Key: "/nowhere"},
		"another's key":       {Cert: a.file("server"), Key: a.file("ours-key")},
		"no authority":        {Cert: a.file("server"), Key: a.file("server-key"), ClientCA: "/dev/null"},
		"authority, no cert":  {ClientCA: a.file("ours")},
		"authority not there": {Cert: a.file("server"), Key: a.file("server-key"), ClientCA: "/nowhere"},
	} {
		if s, err := admin.New(admin.Options{Listen: "127.0.0.1:0", Access: access, Metrics: admin.NewMetrics(admin.Build{})}); err == nil {
			t.Errorf("%s was accepted", name)
			_ = s.Close()
		}
	}
}
