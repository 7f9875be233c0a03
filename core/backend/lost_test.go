package backend

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
)

// losing is a fake backend on another machine that reports that it is unavailable
// while lost has been called more recently than found.
func losing(t *testing.T) (spec Spec, lost, found func()) {
	file := filepath.Join(t.TempDir(), "lost")
	spec = fake("remote", "-device", "remote", "-lost", file)
	spec.Device = "remote"
	lost = func() {
		if err := os.WriteFile(file, []byte("the fake device is lost"), 0o600); err != nil {
			t.Error(err)
		}
	}
	found = func() {
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
	}
	return spec, lost, found
}

// TestLosesItsServers: a backend whose process lives but reports that it cannot serve
// is not ready, Auto falls back, and returns to it.
func TestLosesItsServers(t *testing.T) {
	remote, lost, found := losing(t)
	m := started(t, patient(t, remote, fake("local")))
	if run := works(t, m, ""); run.Backend != "remote" {
		t.Errorf("served by %s", run.Backend)
	}
	pid := statusOf(m, "remote").PID
	lost()
	st := awaitState(t, m, "remote", Unavailable)
	if !strings.Contains(st.Why, "the fake device is lost") || st.Serving {
		t.Errorf("status: %+v", st)
	}
	st = awaitStatus(t, m, "local", "serving", func(s Status) bool { return s.Serving })
	if !strings.Contains(st.Why, "in place of remote: ") || !strings.Contains(st.Why, "the fake device is lost") {
		t.Errorf("status: %+v", st)
	}
	if run := works(t, m, ""); run.Backend != "local" || m.Ready() != nil {
		t.Errorf("served by %s; %v", run.Backend, m.Ready())
	}
	found()
	awaitStatus(t, m, "remote", "serving", func(s Status) bool { return s.Serving && s.State == Ready })
	if run := works(t, m, ""); run.Backend != "remote" {
		t.Errorf("served by %s", run.Backend)
	}
	awaitState(t, m, "local", Off)
	if st := statusOf(m, "remote"); st.PID != pid || st.Restarts != 0 {
		t.Errorf("its process was replaced: %+v", st)
	}
}

// TestLosesItsServersAlone: without a fallback the server is not ready, and requests
// are refused at once instead of waiting.
func TestLosesItsServersAlone(t *testing.T) {
	remote, lost, found := losing(t)
	o := patient(t, remote, fake("local"))
	o.Active = "remote"
	m := started(t, o)
	lost()
	awaitState(t, m, "remote", Unavailable)
	if err := m.Ready(); cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Errorf("ready: %v", err)
	}
	if _, _, err := segment(soon(t), m, "", "", picture(32)); cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Errorf("segment: %v", err)
	}
	if err := m.Switch(soon(t), "local"); err != nil {
		t.Errorf("switch: %v", err)
	}
	works(t, m, "")
	if err := m.Switch(soon(t), "remote"); cutout.CodeOf(err) != cutout.BackendUnavailable || m.Active() != "local" {
		t.Errorf("switch to one that is lost: %v, %s is active", err, m.Active())
	}
	found()
	awaitStatus(t, m, "local", "serving", func(s Status) bool { return s.Serving })
	if err := m.Switch(soon(t), "remote"); err != nil || m.Ready() != nil {
		t.Errorf("switch: %v, %v", err, m.Ready())
	}
}

// TestRunFindsLoss: the request that meets the loss is answered by the fallback,
// long before the next check.
func TestRunFindsLoss(t *testing.T) {
	remote, lost, _ := losing(t)
	o := patient(t, remote, fake("local"))
	o.HealthInterval = time.Hour
	m := started(t, o)
	lost()
	if run := works(t, m, ""); run.Backend != "local" {
		t.Errorf("served by %s", run.Backend)
	}
}

// TestStartsWithoutServers: what is lost at the start is tried again soon, however
// often that failed.
func TestStartsWithoutServers(t *testing.T) {
	remote, lost, found := losing(t)
	lost()
	o := patient(t, remote, fake("local"))
	o.Restart.Failures, o.Restart.Open = 1, time.Hour
	m := started(t, o)
	if run := works(t, m, ""); run.Backend != "local" {
		t.Errorf("served by %s", run.Backend)
	}
	found()
	awaitStatus(t, m, "remote", "serving", func(s Status) bool { return s.Serving })
}

// TestRemoteCertificate: a backend that complains about another server's certificate
// is not taken for one that cannot do TLS itself.
func TestRemoteCertificate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lost")
	why := "transport: authentication handshake failed: x509: certificate signed by unknown authority"
	if err := os.WriteFile(file, []byte(why), 0o600); err != nil {
		t.Fatal(err)
	}
	m := newManager(t, patient(t, fake("remote", "-lost", file)))
	if err := m.Start(soon(t)); err == nil {
		t.Fatal("it started")
	}
	if st := awaitState(t, m, "remote", Failed); !strings.Contains(st.Why, why) || strings.Contains(st.Why, "mutual TLS") {
		t.Errorf("status: %+v", st)
	}
}

// TestWarningsReachTheLog: those of a backend are lines of the server's log.
func TestWarningsReachTheLog(t *testing.T) {
	var log bytes.Buffer
	tail := &tail{log: slog.New(slog.NewTextHandler(&log, nil))}
	for _, line := range []string{"level=WARN msg=\"a server failed\"\n", "level=INFO msg=quiet\n", "panic: x\n"} {
		if _, err := tail.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if got := log.String(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "a server failed") || strings.Count(got, "\n") != 1 {
		t.Errorf("the log is %q", got)
	}
}
