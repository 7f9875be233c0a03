package config

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestWatch changes the file in all the ways that editors and orchestrators do.
func TestWatch(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "bgremover.toml")
	overwrite(t, path, "queue = 1\n")
	l := open(t, Sources{File: path})
	reports := make(chan Report, 10)
	l.OnChange(func(_, _ *Config, r Report) { reports <- r })
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error)
	go func() { done <- l.Watch(ctx, func() { close(ready) }) }()
	<-ready

	expect := func(how string, queue int) {
		t.Helper()
		r := await(t, reports)
		if r.Err != nil || l.Current().Inference.Queue != queue {
			t.Errorf("%s: queue = %d, report = %+v", how, l.Current().Inference.Queue, r)
		}
	}
	overwrite(t, path, "queue = 2\n")
	expect("written in place", 2)

	beside := filepath.Join(folder, ".tmp")
	overwrite(t, beside, "queue = 3\n")
	rename(t, beside, path)
	expect("replaced", 3)

	rename(t, path, path+"~")
	overwrite(t, path, "queue = 4\n")
	expect("moved away and written again", 4)

	overwrite(t, path, "queue = many\n")
	if r := await(t, reports); r.Err == nil || l.Current().Inference.Queue != 4 {
		t.Errorf("a bad file was taken: %+v", r)
	}

	version := filepath.Join(folder, "..2026")
	if err := os.Mkdir(version, 0o700); err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(version, "bgremover.toml"), "queue = 5\n")
	link(t, "..2026", filepath.Join(folder, "..data"))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	link(t, "..data/bgremover.toml", path)
	expect("a link, as Kubernetes makes it", 5)

	l.mu.Lock()
	l.sources.Environ = []string{"BGREMOVER_QUEUE=6"} // stands for any change that no event tells of
	l.mu.Unlock()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	expect("SIGHUP", 6)
	if l.Last().Cause != "SIGHUP" {
		t.Errorf("cause = %q", l.Last().Cause)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func await(t *testing.T, reports chan Report) Report {
	t.Helper()
	select {
	case r := <-reports:
		return r
	case <-time.After(time.Minute):
		t.Fatal("no reload within a minute")
		return Report{}
	}
}

func overwrite(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}
