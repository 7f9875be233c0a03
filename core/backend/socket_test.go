package backend

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSweepSockets: a killed server's folder is removed; those of a running server,
// of other programs, and with anything else in them stay.
func TestSweepSockets(t *testing.T) {
	if dir := os.Getenv("BGREMOVER_TEST_SOCKETS"); dir != "" {
		if _, err := newSockets(dir); err != nil {
			t.Fatal(err)
		}
		os.Exit(0) // without removing anything, as when killed
	}
	parent := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", t.TempDir())
	killed := exec.Command(os.Args[0], "-test.run=^TestSweepSockets$")
	killed.Env = append(os.Environ(), "BGREMOVER_TEST_SOCKETS="+parent)
	if out, err := killed.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	left, err := filepath.Glob(filepath.Join(parent, socketFolder+"*"))
	if err != nil || len(left) != 1 {
		t.Fatalf("the killed server left %v, %v", left, err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(left[0], "plugin1"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()

	living, err := newSockets(parent)
	if err != nil {
		t.Fatal(err)
	}
	defer living.remove()
	var foreign []string
	for _, name := range []string{"bgremover-without-lock", "bgremover-with-a-file", "another"} {
		dir := filepath.Join(parent, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		foreign = append(foreign, dir)
	}
	for _, file := range []string{"bgremover-with-a-file/owner", "bgremover-with-a-file/photo", "another/owner"} {
		if err := os.WriteFile(filepath.Join(parent, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(parent, "another"), filepath.Join(parent, "bgremover-link")); err != nil {
		t.Fatal(err)
	}
	if swept := sweepSockets(parent); swept != 1 {
		t.Errorf("%d folders swept", swept)
	}
	if _, err := os.Lstat(left[0]); err == nil {
		t.Error("the killed server's folder is still there")
	}
	for _, dir := range append(foreign, living.path, filepath.Join(parent, "bgremover-link")) {
		if _, err := os.Lstat(dir); err != nil {
			t.Errorf("removed too: %s", dir)
		}
	}
	living.remove()
	if _, err := os.Lstat(living.path); err == nil {
		t.Error("a server that ends leaves its folder")
	}
}
