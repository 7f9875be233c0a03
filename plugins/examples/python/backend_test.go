// Package python holds a backend written in Python; the package itself is only
// its test.
package python

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contracttest"
	"bgremover.pro/plugins/internal/plugintest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// command returns the backend, with the messages that protoc generates.
func command(t *testing.T) contracttest.Command {
	t.Helper()
	generated := t.TempDir()
	out, err := exec.Command("protoc", "-I", filepath.Join("..", "..", "contract", "proto"), "--python_out="+generated, "backend.proto").CombinedOutput()
	if err != nil {
		t.Fatalf("protoc: %v\n%s", err, out)
	}
	script, err := filepath.Abs("backend.py")
	if err != nil {
		t.Fatal(err)
	}
	return contracttest.Command{Path: script, Env: []string{"PYTHONPATH=" + generated}, Stderr: os.Stderr}
}

func TestConformance(t *testing.T) {
	plugintest.Conform(t, command(t), cutout.Model{
		Name: "border", Input: "-", Output: "-", Scale: 1, Std: [3]float32{1, 1, 1}, Post: cutout.PostNone,
		Variants: []cutout.Variant{{Size: 256, File: "/none"}, {Size: 1024, File: "/none"}},
	})
}

func TestByHand(t *testing.T) {
	c := command(t)
	cmd := exec.Command(c.Path)
	cmd.Env = c.Env
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "the server starts it") {
		t.Errorf("%v: %s", err, out)
	}
}
