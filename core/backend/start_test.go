package backend

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
)

// TestUncheckedBackendsAreTold: a backend whose file is not checked starts, with a
// warning.
func TestUncheckedBackendsAreTold(t *testing.T) {
	content, err := os.ReadFile(fakebackend)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	for _, checked := range []bool{true, false} {
		var said bytes.Buffer
		spec := fake("one")
		if checked {
			spec.SHA256 = hex.EncodeToString(sum[:])
		}
		o := patient(t, spec)
		o.Log = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn}))
		m := started(t, o)
		m.Close()
		if got := strings.Contains(said.String(), "is not checked"); got == checked || statusOf(m, "one").Unchecked == checked {
			t.Errorf("checked %t, but told %t: %s", checked, got, &said)
		}
	}
}

// TestStartFails has every kind of backend that cannot serve beside one that
// can: the reason is reported, and the other one is not affected.
func TestStartFails(t *testing.T) {
	folder := t.TempDir()
	plain := filepath.Join(folder, "plain")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(folder, "foreign")
	if err := os.WriteFile(foreign, []byte("\x7fELF of no machine"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		spec Spec
		why  string
	}{
		"missing":        {Spec{Command: "/no/such/backend"}, "does not exist"},
		"not on PATH":    {Spec{Command: "no-such-backend"}, "not on PATH"},
		"not executable": {Spec{Command: plain}, "not executable"},
		"a folder":       {Spec{Command: folder}, "is a folder"},
		"another system": {Spec{Command: foreign}, "not a program for this machine"},
		"checksum":       {Spec{Command: fakebackend, SHA256: strings.Repeat("0", 64)}, "sha256"},
		"version":        {fake("bad", shows("version")...), "another version of the plugin contract"},
		"rubbish":        {fake("bad", shows("rubbish")...), "other than a handshake: \"Welcome!"},
		"silent":         {fake("bad", shows("silent")...), "did not finish its handshake within 300ms"},
		"exit":           {fake("bad", shows("exit")...), "exited with status 3 before it was ready: fakebackend: cannot start"},
		"no TLS":         {Spec{Command: "sh", Args: []string{"-c", "unset PLUGIN_CLIENT_CERT; exec " + fakebackend}}, "not support mutual TLS"},
		"load":           {fake("bad", shows("load")...), "out of memory"},
		"error":          {fake("bad", shows("error")...), "not a number"},
		"half a mask":    {fake("bad", shows("size")...), "mask of 16x16"},
		"short mask":     {fake("bad", shows("short")...), "broken mask"},
		"no mask":        {fake("bad", shows("empty")...), "broken mask"},
		"dies":           {fake("bad", shows("die")...), "exited with status 2"},
		"hangs":          {fake("bad", shows("hang")...), "took too long"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bad := test.spec
			bad.Name = "bad"
			if strings.Contains(name, "silent") {
				bad.StartTimeout = 300 * time.Millisecond
			}
			o := patient(t, bad, fake("good"))
			o.Active = "bad"
			if name == "hangs" {
				o.RunTimeout = 3 * time.Second // the good one keeps to it too
			}
			m := newManager(t, o)
			err := m.Start(soon(t))
			if cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(err.Error(), test.why) {
				t.Errorf("start: %v; want %q", err, test.why)
			}
			st := awaitState(t, m, "bad", Failed)
			if !strings.Contains(st.Why, test.why) || st.NextTry.IsZero() {
				t.Errorf("status: %+v; want %q", st, test.why)
			}
			if err := m.Ready(); cutout.CodeOf(err) != cutout.BackendUnavailable {
				t.Errorf("ready: %v", err)
			}
			if run := works(t, m, "good"); run.Backend != "good" {
				t.Errorf("served by %s", run.Backend)
			}
		})
	}
}

func TestChecksumHoldsOverRestarts(t *testing.T) {
	text, err := os.ReadFile(fakebackend)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	spec := fake("one")
	spec.SHA256 = hex.EncodeToString(sum[:])
	m := started(t, patient(t, spec))
	if err := m.Restart(soon(t), "one"); err != nil {
		t.Fatalf("restart: %v", err)
	}
	works(t, m, "")
}

func TestWithoutTLS(t *testing.T) {
	spec := fake("one")
	spec.NoTLS = true
	works(t, started(t, patient(t, spec)), "")
}

// TestStandardError: a flood there, or a line made to break a parser of it,
// harms nobody, and the last lines are kept.
func TestStandardError(t *testing.T) {
	for _, fault := range []string{"flood", "log"} {
		t.Run(fault, func(t *testing.T) {
			m := started(t, patient(t, fake("one", shows(fault)...)))
			for range 5 {
				works(t, m, "")
			}
			st := awaitStatus(t, m, "one", "heard", func(s Status) bool { return len(s.Stderr) > 0 })
			if size := len(strings.Join(st.Stderr, "\n")); size > tailBytes {
				t.Errorf("%d bytes are kept", size)
			}
		})
	}
}

func TestServes(t *testing.T) {
	m := started(t, patient(t, fake("one")))
	run := works(t, m, "")
	if run.Backend != "one" || run.Device != "cpu" || run.Model != "first" || len(run.Sizes) != 1 || run.Sizes[0] != 32 || run.Inference <= 0 {
		t.Errorf("the run is not told rightly: %+v", run)
	}
	if err := m.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
	st := statusOf(m, "one")
	if st.State != Ready || !st.Active || !st.Serving || st.Provider != "arithmetic" || st.PID == 0 || st.Memory == 0 || st.Requests != 1 {
		t.Errorf("status: %+v", st)
	}
}
