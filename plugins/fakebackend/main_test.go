package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/contracttest"
	"bgremover.pro/plugins/internal/plugintest"
)

var binary string

func TestMain(m *testing.M) { plugintest.Main(m, &binary) }

func model(t *testing.T) cutout.Model {
	file := filepath.Join(t.TempDir(), "any.onnx")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return cutout.Model{
		Name: "any", Input: "x", Output: "y", Scale: 255, Std: [3]float32{1, 1, 1}, Post: cutout.PostNone,
		Variants: []cutout.Variant{{Size: 64, File: file}, {Size: 128, File: file}},
	}
}

func TestConformance(t *testing.T) {
	for name, tls := range map[string]bool{"tls": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			command := contracttest.Command{Path: binary, TLS: tls, Args: []string{"-delay=5ms"}}
			plugintest.Conform(t, command, model(t))
		})
	}
}

// Without a pipe from its host, a backend notices that its parent is gone.
func TestEndsWithParent(t *testing.T) {
	shell := exec.Command("sh", "-c", `"$0" & wait`, binary)
	shell.Env = []string{contract.Handshake.MagicCookieKey + "=" + contract.Handshake.MagicCookieValue, "PLUGIN_UNIX_SOCKET_DIR=" + t.TempDir()}
	stdout, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "|unix|") {
		t.Fatalf("no handshake: %q, %v", line, err)
	}
	if err := shell.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The backend holds the other end of the pipe until it ends.
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Error(err)
	}
	_ = shell.Wait()
}
