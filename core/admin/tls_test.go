package admin_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"

	"bgremover.pro/core/admin"
	"bgremover.pro/ops/testing/certs"
)

func TestClientCertificates(t *testing.T) {
	ours, theirs := certs.New(t), certs.New(t)
	ours.Issue(t, "server")
	ours.Issue(t, "operator")
	theirs.Issue(t, "stranger")
	o := start(t, admin.Access{Cert: ours.File("server"), Key: ours.Key("server"), ClientCA: ours.File("ca")})
	base := "https" + strings.TrimPrefix(o.base, "http")

	ask := func(a *certs.Authority, name string) (*http.Response, error) {
		roots := x509.NewCertPool()
		roots.AddCert(ours.Cert)
		config := &tls.Config{RootCAs: roots}
		if a != nil {
			pair, err := tls.LoadX509KeyPair(a.File(name), a.Key(name))
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
	a := certs.New(t)
	a.Issue(t, "server")
	for name, access := range map[string]admin.Access{
		"no such file":        {Cert: "/nowhere", Key: "/nowhere"},
		"another's key":       {Cert: a.File("server"), Key: a.Key("ca")},
		"no authority":        {Cert: a.File("server"), Key: a.Key("server"), ClientCA: "/dev/null"},
		"authority, no cert":  {ClientCA: a.File("ca")},
		"authority not there": {Cert: a.File("server"), Key: a.Key("server"), ClientCA: "/nowhere"},
	} {
		if s, err := admin.New(admin.Options{Listen: "127.0.0.1:0", Access: access, Metrics: admin.NewMetrics(admin.Build{})}); err == nil {
			t.Errorf("%s was accepted", name)
			_ = s.Close()
		}
	}
}
