package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bgremover.pro/core/admin"
	"bgremover.pro/core/app"
	"bgremover.pro/core/backend"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/plugins/contracttest"
)

// nothing is a configuration without settings.
type nothing struct{}

func (nothing) List() []admin.Setting               { return nil }
func (nothing) Apply(map[string]string, bool) error { return nil }
func (nothing) Reload() ([]string, error)           { return nil, nil }
func (nothing) Keys() []admin.Setting               { return nil }
func (nothing) Revert(string) error                 { return nil }
func (nothing) Preview(map[string]string) (ratelimit.Rules, error) {
	return ratelimit.Rules{}, nil
}
func (nothing) Last() admin.Reload { return admin.Reload{} }

func fakebackend(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "fakebackend")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "bgremover.pro/plugins/fakebackend").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func aModel(t *testing.T) cutout.Model {
	file := filepath.Join(t.TempDir(), "first.onnx")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return cutout.Model{Name: "first", Input: "in", Output: "out", Scale: 1, Std: [3]float32{1, 1, 1},
		Post: cutout.PostNone, Variants: []cutout.Variant{{Size: 64, File: file}}}
}

// command runs "bgremover backends" with arguments and returns what it prints.
func command(t *testing.T, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := backendsCommand()
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// TestBackends lists and switches the backends of a server that really serves
// its operator.
func TestBackends(t *testing.T) {
	program := fakebackend(t)
	m, err := backend.New(backend.Options{Active: "one", RunDir: t.TempDir(), Models: []cutout.Model{aModel(t)}, Specs: []backend.Spec{
		{Name: "one", Command: program, Device: "cpu"}, {Name: "two", Command: program, Device: "cpu"},
		{Name: "bad", Command: program, Args: []string{"-fault", "exit"}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	const token = "0123456789abcdef0123456789abcdef"
	server, err := admin.New(admin.Options{Listen: "127.0.0.1:0", Access: admin.Access{Token: token}, Metrics: admin.NewMetrics(admin.Build{}),
		Sources: admin.Sources{Backends: m, Ready: m.Ready, Settings: nothing{}, Queue: func() admin.Queue { return admin.Queue{} }}})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- server.Serve() }()
	defer func() {
		if err := server.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		<-served
	}()
	t.Setenv("BGREMOVER_ADMIN_LISTEN", server.Addr().String())
	t.Setenv("BGREMOVER_ADMIN_TOKEN", token)
	t.Setenv("BGREMOVER_DATA_DIR", t.TempDir())

	listed, err := command(t)
	if err != nil || !strings.Contains(listed, "*one  ready  cpu") || !strings.Contains(listed, "two   off") {
		t.Errorf("list: %v\n%s", err, listed)
	}
	if said, err := command(t, "switch", "two"); err != nil || !strings.HasPrefix(said, "two serves until") || m.Active() != "two" {
		t.Errorf("switch: %v, %q; %s is active", err, said, m.Active())
	}
	for name, want := range map[string]string{"three": "backend is one of: auto, one, two, bad", "bad": "exited with status 3"} {
		if _, err := command(t, "switch", name); err == nil || !strings.Contains(err.Error(), want) || m.Active() != "two" {
			t.Errorf("switch to %s: %v; %s is active", name, err, m.Active())
		}
	}
	t.Setenv("BGREMOVER_ADMIN_TOKEN", "another-token-000")
	if _, err := command(t); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("with a wrong token: %v", err)
	}
	t.Setenv("BGREMOVER_ADMIN_TOKEN", "") // none in the settings: it is in the server's file
	file := filepath.Join(os.Getenv("BGREMOVER_DATA_DIR"), "admin-token")
	if _, err := command(t); err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "run it as the server's user") {
		t.Errorf("without the file: %v", err)
	}
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if listed, err := command(t); err != nil || !strings.Contains(listed, "*two") {
		t.Errorf("with the file: %v\n%s", err, listed)
	}
}

// TestBackendsThroughASocket: no token is asked for, nor is an address.
func TestBackendsThroughASocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "operator")
	server, err := admin.New(admin.Options{Listen: "unix:" + path, Metrics: admin.NewMetrics(admin.Build{}), Sources: admin.Sources{Backends: none{},
		Ready: func() error { return nil }, Settings: nothing{}, Queue: func() admin.Queue { return admin.Queue{} }}})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- server.Serve() }()
	defer func() {
		if err := errors.Join(server.Close(), <-served); err != nil {
			t.Error(err)
		}
	}()
	t.Setenv("BGREMOVER_ADMIN_LISTEN", "unix:"+path)
	t.Setenv("BGREMOVER_DATA_DIR", t.TempDir())
	if listed, err := command(t); err != nil || !strings.HasPrefix(listed, "NAME") {
		t.Errorf("%v\n%s", err, listed)
	}
	if said, err := health(t); err != nil || said != "ok\n" {
		t.Errorf("%q, %v", said, err)
	}
}

// none is no backend at all.
type none struct{ admin.Backends }

func (none) Snapshot() []cutout.BackendStatus { return nil }

// TestCheck: a program that keeps the contract, one that does not, and one
// that is not there.
func TestCheck(t *testing.T) {
	program, model := fakebackend(t), aModel(t)
	for fault, want := range map[string]string{"": "", "size": "mask of 32x32", "exit": "FAILED starts and completes the handshake"} {
		t.Run("fault "+fault, func(t *testing.T) {
			var out strings.Builder
			say := func(line string) { fmt.Fprintln(&out, line) }
			err := app.Conform(t.Context(), contracttest.Command{Path: program, Args: []string{"-fault", fault}, TLS: true}, model, say)
			if (err == nil) != (fault == "") || !strings.Contains(out.String(), want) {
				t.Errorf("%v; want %q in\n%s", err, want, out.String())
			}
		})
	}
	foreign := filepath.Join(t.TempDir(), "foreign")
	if err := os.WriteFile(foreign, []byte("\x7fELF for another processor"), 0o755); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	_ = app.Conform(t.Context(), contracttest.Command{Path: foreign}, model, func(line string) { said.WriteString(line) })
	if !strings.Contains(said.String(), "no program for this machine") {
		t.Errorf("of a program for another processor: %s", said.String())
	}
	t.Setenv("BGREMOVER_DATA_DIR", t.TempDir())
	if _, err := command(t, "check", program); err == nil || !strings.Contains(err.Error(), "setup") {
		t.Errorf("without a model: %v", err)
	}
}
