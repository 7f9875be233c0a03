package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"bgremover.pro/core/admin"
	"bgremover.pro/ops/testing/certs"
)

// serveOperator serves an operator's listener with a certificate of the name,
// and sets the environment of its commands.
func serveOperator(t *testing.T, a *certs.Authority, name string, ready func() error) {
	server, err := admin.New(admin.Options{Listen: "127.0.0.1:0", Metrics: admin.NewMetrics(admin.Build{}),
		Access:  admin.Access{Cert: a.File(name), Key: a.Key(name), ClientCA: a.File("ca")},
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
	for key, value := range map[string]string{"LISTEN": server.Addr().String(), "TLS_CERT": a.File(name),
		"TLS_KEY": a.Key(name), "CLIENT_CA": a.File("ca"), "CLIENT_CERT": "", "CLIENT_KEY": ""} {
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
	a, others := certs.New(t), certs.New(t)
	a.Issue(t, "server", x509.ExtKeyUsageServerAuth)
	a.Issue(t, "both", x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)
	a.Issue(t, "operator", x509.ExtKeyUsageClientAuth)
	others.Issue(t, "stranger", x509.ExtKeyUsageClientAuth)
	var failure error
	ready := func() error { return failure }

	serveOperator(t, a, "server", ready)
	if said, err := health(t); err == nil {
		t.Errorf("a certificate for servers was let in: %s", said)
	}
	t.Setenv("BGREMOVER_ADMIN_CLIENT_CERT", others.File("stranger"))
	t.Setenv("BGREMOVER_ADMIN_CLIENT_KEY", others.Key("stranger"))
	if said, err := health(t); err == nil {
		t.Errorf("a stranger was let in: %s", said)
	}
	t.Setenv("BGREMOVER_ADMIN_CLIENT_CERT", a.File("operator"))
	t.Setenv("BGREMOVER_ADMIN_CLIENT_KEY", a.Key("operator"))
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
