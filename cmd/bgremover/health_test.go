package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/admin"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.issue("ca")
	return a
}

// issue writes NAME.pem and NAME-key.pem, for the uses that are named.
func (a *authority) issue(name string, uses ...x509.ExtKeyUsage) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotAfter: time.Now().Add(time.Hour), IsCA: uses == nil, BasicConstraintsValid: true, ExtKeyUsage: uses}
	parent, signer := template, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, keyErr := x509.MarshalPKCS8PrivateKey(key)
	cert, err := x509.ParseCertificate(der)
	if err := errors.Join(keyErr, err,
		os.WriteFile(a.file(name), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(a.file(name+"-key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600)); err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name+".pem") }

// serveOperator serves an operator's listener with a certificate of the name,
// and sets the environment of its commands.
func serveOperator(t *testing.T, a *authority, name string, ready func() error) {
	server, err := admin.New(admin.Options{Listen: "127.0.0.1:0", Metrics: admin.NewMetrics(admin.Build{}),
		Access:  admin.Access{Cert: a.file(name), Key: a.file(name + "-key"), ClientCA: a.file("ca")},
		Sources: admin.Sources{Ready: ready, Settings: nothing{}, Queue: func() admin.Queue { return admin.Queue{} }}})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- server.Serve() }()
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(context.WithoutCancel(t.Context())), <-served); err != nil {
			t.Error(err)
		}
	})
	for key, value := range map[string]string{"LISTEN": server.Addr().String(), "TLS_CERT": a.file(name),
		"TLS_KEY": a.file(name + "-key"), "CLIENT_CA": a.file("ca"), "CLIENT_CERT": "", "CLIENT_KEY": ""} {
		t.Setenv("BGREMOVER_ADMIN_"+key, value)
	}
}

func health(t *testing.T, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := healthCommand()
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestHealthShowsACertificate(t *testing.T) {
	t.Setenv("BGREMOVER_DATA_DIR", t.TempDir())
	a, others := newAuthority(t), newAuthority(t)
	a.issue("server", x509.ExtKeyUsageServerAuth)
	a.issue("both", x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)
	a.issue("operator", x509.ExtKeyUsageClientAuth)
	others.issue("stranger", x509.ExtKeyUsageClientAuth)
	var failure error
	ready := func() error { return failure }

	serveOperator(t, a, "server", ready)
	if said, err := health(t); err == nil {
		t.Errorf("a certificate for servers was let in: %s", said)
	}
	t.Setenv("BGREMOVER_ADMIN_CLIENT_CERT", others.file("stranger"))
	t.Setenv("BGREMOVER_ADMIN_CLIENT_KEY", others.file("stranger-key"))
	if said, err := health(t); err == nil {
		t.Errorf("a stranger was let in: %s", said)
	}
	t.Setenv("BGREMOVER_ADMIN_CLIENT_CERT", a.file("operator"))
	t.Setenv("BGREMOVER_ADMIN_CLIENT_KEY", a.file("operator-key"))
	for _, args := range [][]string{nil, {"--live"}} {
		if said, err := health(t, args...); err != nil || said != "ok\n" {
			t.Errorf("health %v: %q, %v", args, said, err)
		}
	}
	failure = errors.New("no backend is ready")
	if said, err := health(t); err == nil || !strings.Contains(err.Error(), "no backend") && !strings.Contains(err.Error(), "503") {
		t.Errorf("not ready: %q, %v", said, err)
	}
	failure = nil

	serveOperator(t, a, "both", ready)
	if said, err := health(t); err != nil || said != "ok\n" {
		t.Errorf("with the listener's own certificate: %q, %v", said, err)
	}
}
