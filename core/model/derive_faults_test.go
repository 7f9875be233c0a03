package model

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
)

// A program for another machine is reported as such: building it again there is no
// help.
func TestDeriveWithForeignProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "onnx-derive")
	if err := os.WriteFile(program, []byte("\x7fELF of no machine"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := tinyStore(t).Derive(t.Context(), "tiny", program)
	if cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(err.Error(), "not a program for this machine") {
		t.Errorf("%v", err)
	}
}

// A failure on the way is reported, leaves nothing behind and is tried again
// the next time.
func TestDeriveFailures(t *testing.T) {
	for name, c := range map[string]struct {
		script string // empty: there is no program
		code   cutout.Code
		says   string
	}{
		"no program":     {"", cutout.BackendUnavailable, "run `make build`"},
		"says nothing":   {"exit 3", cutout.Internal, "gave no answer"},
		"crashes":        {"cat >/dev/null & echo 'fatal: boom' >&2; kill -SEGV $$", cutout.Internal, "boom"},
		"says nonsense":  {"echo hello", cutout.Internal, "gave no answer"},
		"full disk":      {`echo '{"error":"write int8-512.onnx: no space left on device"}'; exit 1`, cutout.Internal, "is full"},
		"passing fault":  {`echo '{"error":"there is not enough memory"}'; exit 1`, cutout.Internal, "not enough memory"},
		"lacks a graph":  {`echo '{"variants":[]}'`, cutout.Internal, "no graph of the model's own size"},
		"file not there": {`echo '{"variants":[{"Size":1024,"File":"/nonexistent/x.onnx"}]}'`, cutout.Internal, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			s := tinyStore(t)
			path := filepath.Join(t.TempDir(), "onnx-derive")
			if c.script != "" {
				if err := os.WriteFile(path, []byte("#!/bin/sh\n"+c.script+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			_, err := s.Derive(t.Context(), "tiny", path)
			if cutout.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
			s.mustBeUnderived(t)
		})
	}
}

func TestDeriveCancelled(t *testing.T) {
	s := tinyStore(t)
	path := filepath.Join(t.TempDir(), "onnx-derive")
	ctx, cancel := context.WithCancel(t.Context())
	// The program signals that it runs by opening a pipe, and then waits for ever.
	pipe := filepath.Join(t.TempDir(), "started")
	if err := exec.Command("mkfifo", pipe).Run(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho >"+pipe+"\nexec tail -f /dev/null\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = os.ReadFile(pipe)
		cancel()
	}()
	if _, err := s.Derive(ctx, "tiny", path); cutout.CodeOf(err) != cutout.Canceled {
		t.Errorf("cancelling gives %v", err)
	}
	s.mustBeUnderived(t)
}

func (s *Store) mustBeUnderived(t *testing.T) {
	t.Helper()
	if left, err := os.ReadDir(filepath.Join(s.dir, "models", "derived")); err != nil && !errors.Is(err, os.ErrNotExist) || len(left) > 0 {
		t.Errorf("left behind are %v (%v)", left, err)
	}
	if m, err := s.Installed("tiny"); err != nil || len(m.Variants) != 1 {
		t.Errorf("the model is %v (%v)", m, err)
	}
}
