package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contracttest"
)

// TestSuiteFindsFaults: each check finds a backend that is wrong in just that
// way, and no other check does.
func TestSuiteFindsFaults(t *testing.T) {
	const (
		starts     = "starts and completes the handshake"
		unloaded   = "refuses a picture before a model is loaded"
		files      = "refuses a model whose files are missing, or needs none"
		loads      = "loads the model"
		sizes      = "answers each size with a mask of that size"
		others     = "refuses sizes that the model does not have, even large ones"
		polarity   = "marks the subject light and the background dark"
		concurrent = "answers calls at the same time, each picture with its own mask"
		queued     = "reports how long a call waited for its turn"
		bad        = "still answers after a model that does not load"
		replaces   = "replaces a loaded model of the same name"
		unloads    = "unloads the model, and accepts unknown names"
		busy       = "answers the health service and Describe during a run"
		deadline   = "stops a run at its deadline"
		cancelled  = "stops a cancelled run"
		signals    = "keeps running when TERM and INT are sent to every process"
		quiet      = "writes one line to standard output, the handshake"
	)
	const all = "*" // checks behind the first, which need what that one shows
	slow := []string{"-delay=1s", "-slow=128"}
	tests := []struct {
		args  []string
		fails []string
	}{
		{[]string{"-fault=exit"}, []string{starts}},
		{[]string{"-fault=rubbish"}, []string{starts}},
		{[]string{"-fault=version"}, []string{starts}},
		{[]string{"-fault=vague"}, []string{"describes itself"}},
		{[]string{"-fault=nameless"}, []string{"refuses a model without a name or files"}},
		{[]string{"-fault=status"}, []string{unloaded, files, bad, unloads}},
		{[]string{"-fault=anyway"}, []string{unloaded, unloads}},
		{[]string{"-fault=mute"}, []string{unloaded, "refuses a model without a name or files", files, others, bad, replaces, unloads}},
		{[]string{"-fault=load"}, []string{files, all}},
		{[]string{"-fault=extra"}, []string{loads, all}},
		{[]string{"-fault=subset"}, nil},
		{[]string{"-fault=unlisted"}, []string{loads, all}},
		{[]string{"-fault=error"}, []string{sizes, all}},
		{[]string{"-fault=size"}, []string{sizes, all}},
		{[]string{"-fault=short"}, []string{sizes, all}},
		{[]string{"-fault=empty"}, []string{sizes, all}},
		{[]string{"-fault=die"}, []string{sizes, all}},
		{[]string{"-fault=untimed"}, []string{sizes, all}},
		{[]string{"-fault=boast"}, []string{sizes, all}},
		{[]string{"-fault=any-size"}, []string{others, replaces}},
		{[]string{"-fault=small"}, []string{others}},
		{[]string{"-mask=none"}, []string{polarity}},
		{[]string{"-mask=full"}, []string{polarity}},
		{[]string{"-fault=random"}, []string{concurrent, all}},
		{[]string{"-fault=mixed", "-delay=100ms"}, []string{concurrent}},
		{append(slow, "-fault=unqueued"), []string{queued}},
		{append(slow, "-fault=serial"), []string{queued, busy, deadline, cancelled}},
		{append(slow, "-fault=late"), []string{deadline}},
		{append(slow, "-fault=deaf"), []string{cancelled}},
		{append(slow, "-fault=uncounted"), []string{deadline, cancelled}},
		{[]string{"-fault=forget"}, []string{bad}},
		{[]string{"-fault=keep"}, []string{replaces}},
		{[]string{"-fault=unload"}, []string{unloads}},
		{[]string{"-fault=strict"}, []string{unloads}},
		{[]string{"-fault=term"}, []string{signals, all}},
		{[]string{"-fault=int"}, []string{signals, all}},
		{[]string{"-fault=orphan"}, []string{"ends when the host is gone", all}},
		{[]string{"-fault=stay"}, []string{"ends within two seconds of being asked to"}},
		{[]string{"-fault=chatty"}, []string{quiet}},
		{[]string{"-fault=by-hand"}, []string{"does not start without the host's cookie"}},
		{[]string{"-fault=flood"}, nil},
		{[]string{"-fault=log"}, nil},
		{slow, nil},
	}
	// They mostly wait: more of them than processors run at a time.
	var running sync.WaitGroup
	defer running.Wait()
	places := make(chan struct{}, 8)
	for _, test := range tests {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			name := strings.Join(test.args, " ")
			var failed []string
			command := contracttest.Command{Path: binary, Args: test.args}
			passed := contracttest.Run(t.Context(), command, model(t), func(r contracttest.Result) {
				if r.Err != nil {
					t.Logf("%s: %s: %v", name, r.Name, r.Err)
					failed = append(failed, r.Name)
				}
			})
			want := test.fails
			if n := len(want); n > 1 && want[n-1] == all && len(failed) > 0 {
				want, failed = want[:1], failed[:1]
			}
			if passed != (len(want) == 0) || !slices.Equal(failed, want) {
				t.Errorf("%s: failed %q; want %q", name, failed, want)
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
