package edgetest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bgremover.pro/ops/testing/logbuffer"
)

// patience is for what a busy machine takes long to do; nothing should.
const patience = 90 * time.Second

// process is a server that the test owns.
type process struct {
	t      testing.TB
	name   string
	output logbuffer.Buffer
	cmd    *exec.Cmd
	ended  chan struct{}
}

// startProcess runs a server until the test ends.
func startProcess(t testing.TB, name string, args ...string) *process {
	t.Helper()
	path := program(t, name)
	p := &process{t: t, name: name, ended: make(chan struct{}), cmd: exec.Command(path, args...)}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir(), "XDG_DATA_HOME="+t.TempDir())
	p.cmd.WaitDelay = 10 * time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.stop)
	return p
}

// program finds a server where Debian puts them too.
func program(t testing.TB, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	t.Fatalf("%s is missing: run make test-tools (ops/testing/packages.txt)", name)
	return ""
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.ended
		p.t.Errorf("%s does not end:\n%s", p.name, p.output.String())
	}
}

// answering waits until an address takes connections.
func (p *process) answering(address string) {
	p.t.Helper()
	eventually(p.t, p.name+" listens", func() bool {
		select {
		case <-p.ended:
			p.t.Fatalf("%s has ended:\n%s", p.name, p.output.String())
		default:
		}
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// eventually asks until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// shipped reads a file of ops/ with some parts replaced, each of which must be
// there.
func shipped(t testing.TB, file string, replace ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../../ops", file))
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("%s lacks %q", file, replace[i])
		}
		text = strings.ReplaceAll(text, replace[i], replace[i+1])
	}
	return text
}

func write(t testing.TB, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
