// Package systemd_test checks the unit.
package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnitIsHardened requires an exposure level below 2.0 of 10.
func TestUnitIsHardened(t *testing.T) {
	out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=19", "--no-pager", "bgremover.service").CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze (see ops/testing/packages.txt): %v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	t.Log(lines[len(lines)-1])
}

// TestUnitIsValid has systemd verify the unit and its drop-in, with a command that
// exists on this machine.
func TestUnitIsValid(t *testing.T) {
	dir := t.TempDir()
	unit := strings.ReplaceAll(read(t, "bgremover.service"), "/usr/lib/bgremover/bgremover", "/bin/true")
	if !strings.Contains(unit, "/bin/true serve") {
		t.Fatal("the unit starts something else")
	}
	path := filepath.Join(dir, "bgremover.service")
	dropin := filepath.Join(dir, "bgremover.service.d")
	if err := os.Mkdir(dropin, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{path: unit, filepath.Join(dropin, "cuda.conf"): read(t, "bgremover-cuda.conf")} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("systemd-analyze", "verify", "--man=no", path)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "bgremover.service") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestUnitKeepsPhotosOffTheDisk(t *testing.T) {
	unit := read(t, "bgremover.service")
	for _, line := range []string{"LimitCORE=0", "MemorySwapMax=0", "MemoryMax=4G", "KillMode=mixed", "Type=notify", "WatchdogSec=60", "RestartPreventExitStatus=2"} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit does not say %s", line)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
