package admin_test

import (
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bgremover.pro/core/admin"
)

func onSocket(t *testing.T, path string) (*admin.Server, error) {
	t.Helper()
	return admin.New(admin.Options{Listen: "unix:" + path, Metrics: admin.NewMetrics(admin.Build{}),
		Sources: admin.Sources{Backends: &backends{active: "auto"}, Ready: func() error { return nil }, Queue: func() admin.Queue { return admin.Queue{} }}})
}

// TestSocket: those who may open the socket need no token, and nobody else may
// open it. A socket that a killed server left is replaced, a running one's is not.
func TestSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "operator")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close() // as a killed server's

	server, err := onSocket(t, path)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 || server.Addr().String() != path {
		t.Errorf("left beside it: %v; it is at %s", files, server.Addr())
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	for _, address := range []string{"/backends.json", "/metrics", "/healthz"} {
		got, err := (&http.Client{Transport: transport}).Get("http://anything" + address)
		if err != nil {
			t.Fatal(err)
		}
		if _, _ = io.ReadAll(got.Body); got.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", address, got.StatusCode)
		}
		got.Body.Close()
	}
	if _, err := onSocket(t, path); err == nil || !strings.Contains(err.Error(), "another server is already listening") {
		t.Errorf("a second server: %v", err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is left behind")
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := onSocket(t, path); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("over a file: %v", err)
	}
}
