package accesslog

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inNamespace runs this test once more in a process that may mount, with a
// tmpfs of 64 KiB at dir, and reports whether this is that process.
func inNamespace(t *testing.T) (dir string, inside bool) {
	t.Helper()
	if dir = os.Getenv("BGREMOVER_TEST_TMPFS"); dir != "" {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
			t.Fatalf("mount: %v", err)
		}
		return dir, true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "BGREMOVER_TEST_TMPFS="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return "", false
}

func TestAFullDiskLosesLinesAndNothingElse(t *testing.T) {
	dir, inside := inNamespace(t)
	if !inside {
		return
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 40<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFiles(dir, "access")
	defer f.Close()
	// Without goroutines, so that nothing depends on time.
	l := &Logger{out: f, log: slog.New(slog.DiscardHandler)}
	line := entry().line(&combined)
	for range 1000 {
		l.flush(line)
	}
	full := l.written.Load()
	if full == 0 || l.dropped.Load() != 1000-full {
		t.Fatalf("%d written, %d dropped", full, l.dropped.Load())
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		l.flush(line)
	}
	if got := l.written.Load(); got != full+10 {
		t.Errorf("%d written after there was room again, want %d", got, full+10)
	}
	content, err := os.ReadFile(filepath.Join(dir, f.of(time.Now())))
	if err != nil {
		t.Fatal(err)
	}
	whole, torn := 0, 0
	for got := range strings.Lines(string(content)) {
		if got == string(line) {
			whole++
		} else if torn++; !strings.HasPrefix(string(line), strings.TrimSuffix(got, "\n")) {
			t.Errorf("two lines ran into one: %q", got)
		}
	}
	if int64(whole) != full+10 || torn > 1 {
		t.Errorf("%d whole lines and %d torn, want %d", whole, torn, full+10)
	}
}

func TestAReadOnlyDisk(t *testing.T) {
	dir, inside := inNamespace(t)
	if !inside {
		return
	}
	old := filepath.Join(dir, "access.20200101.log")
	if err := os.WriteFile(old, []byte("old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	l := start(t, Options{Settings: combined, Mode: "file", Dir: dir})
	l.Log(entry())
	end(t, l)
	if s := l.Status(); s.Dropped != 1 || s.Err == nil || s.Files != 1 {
		t.Errorf("a line that is too old and cannot be removed must show: %+v", s)
	}
}
