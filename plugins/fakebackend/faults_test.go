package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contracttest"
)

// The suite must find what is wrong with a backend: a check that no backend
// can fail proves nothing.
func TestSuiteFindsFaults(t *testing.T) {
	const (
		starts   = "starts and shakes hands"
		sizes    = "answers each size with a mask of that size"
		polarity = "marks the subject light and the background dark"
		loads    = "loads the model"
	)
	tests := []struct {
		args  []string
		fails string
	}{
		{[]string{"-fault=exit"}, starts},
		{[]string{"-fault=rubbish"}, starts},
		{[]string{"-fault=version"}, starts},
		{[]string{"-fault=load"}, loads},
		{[]string{"-fault=error"}, sizes},
		{[]string{"-fault=size"}, sizes},
		{[]string{"-fault=short"}, sizes},
		{[]string{"-fault=empty"}, sizes},
		{[]string{"-fault=die"}, sizes},
		{[]string{"-mask=none"}, polarity},
		{[]string{"-mask=full"}, polarity},
		{[]string{"-fault=flood"}, ""},
		{[]string{"-fault=log"}, ""},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			var failed []string
			command := contracttest.Command{Path: binary, Args: test.args}
			passed := contracttest.Run(t.Context(), command, model(t), func(r contracttest.Result) {
				if r.Err != nil {
					failed = append(failed, r.Name)
				}
			})
			if passed != (test.fails == "") || !passed && !slices.Contains(failed, test.fails) {
				t.Errorf("passed: %v, failed checks: %q; expected %q", passed, failed, test.fails)
			}
		})
	}
}

// start starts the backend with faults and a model loaded.
func start(t *testing.T, args ...string) (*contracttest.Process, *bytes.Buffer) {
	t.Helper()
	var stderr bytes.Buffer
	p, err := contracttest.Command{Path: binary, Args: args, TLS: true, Stderr: &stderr}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	if _, err := p.Client.Load(t.Context(), model(t)); err != nil {
		t.Fatal(err)
	}
	return p, &stderr
}

func segment(ctx context.Context, p *contracttest.Process) error {
	_, _, err := p.Client.Segment(ctx, "any", &cutout.Input{Width: 64, Height: 64, Pix: make([]uint8, 3*64*64)})
	return err
}

func TestRunFaults(t *testing.T) {
	tests := []struct {
		fault string
		want  cutout.Code
		ends  bool // the process
	}{
		{"die", cutout.BackendUnavailable, true},
		{"error", cutout.Internal, false},
		{"size", cutout.Internal, false},
		{"short", cutout.Internal, false},
		{"empty", cutout.Internal, false},
		{"hang", cutout.Timeout, false},
		{"stop", cutout.Timeout, false},
	}
	for _, test := range tests {
		t.Run(test.fault, func(t *testing.T) {
			p, stderr := start(t, "-fault="+test.fault)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			if err := segment(ctx, p); cutout.CodeOf(err) != test.want {
				t.Errorf("got %v, want an error of code %s", err, test.want)
			}
			if test.ends {
				<-p.Client.Done()
				p.Stop() // waits until all that it wrote is here
				if !strings.Contains(stderr.String(), "panic: fakebackend: dying") {
					t.Errorf("no trace of the panic in %q", stderr)
				}
			}
		})
	}
}

// A fault with -once shows once only, also over several processes.
func TestOnce(t *testing.T) {
	once := filepath.Join(t.TempDir(), "once")
	if err := os.WriteFile(once, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p, _ := start(t, "-fault=die", "-once="+once)
	if err := segment(t.Context(), p); cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Fatalf("the first process should have died: %v", err)
	}
	p, _ = start(t, "-fault=die", "-once="+once)
	if err := segment(t.Context(), p); err != nil {
		t.Errorf("the second process should work: %v", err)
	}
}

func TestDiesIdle(t *testing.T) {
	p, _ := start(t, "-fault=die-idle", "-delay=500ms") // long after Load was answered
	<-p.Client.Done()                                   // the test's own limit ends it otherwise
	if err := segment(t.Context(), p); cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Errorf("got %v", err)
	}
}

func TestStays(t *testing.T) {
	p, _ := start(t, "-fault=stay")
	p.Stop() // kills it after its two seconds
	<-p.Client.Done()
}

func TestLeaks(t *testing.T) {
	p, _ := start(t, "-fault=leak")
	before, err := p.Client.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := segment(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	after, err := p.Client.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if after.Memory < before.Memory+60<<20 {
		t.Errorf("memory went from %d to %d bytes, not up by 64 MiB", before.Memory, after.Memory)
	}
}
