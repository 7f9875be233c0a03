package backend

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestAnotherLanguage: a backend without TLS and without go-plugin's own way to
// ask for the end serves, is replaced and ends like any other.
func TestAnotherLanguage(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	generated := t.TempDir()
	protoc := exec.CommandContext(soon(t), "protoc", "-I", root+"/plugins/contract/proto", "--python_out="+generated, "backend.proto")
	if out, err := protoc.CombinedOutput(); err != nil {
		t.Fatalf("protoc: %v\n%s", err, out)
	}
	o := patient(t, Spec{Name: "python", Command: "/usr/bin/python3", Args: []string{root + "/plugins/examples/python/backend.py"},
		Env: []string{"PYTHONPATH=" + generated, "PYTHONDONTWRITEBYTECODE=1"}, NoTLS: true})
	m := started(t, o)
	if err := m.Restart(soon(t), "python"); err != nil {
		t.Errorf("restart: %v", err)
	}
	if _, _, err := segment(soon(t), m, "", "", picture(32)); err != nil {
		t.Errorf("segment: %v", err)
	}
}
