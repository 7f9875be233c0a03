// Package servertest runs the real binary for tests, and measures its process.
package servertest

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Server is a running bin/bgremover, or the binary in BGREMOVER_BINARY for comparison.
type Server struct {
	*exec.Cmd
	Base, Operator string // addresses of its listeners, as URLs

	settings string      // its settings file
	lines    chan string // its log
}

var serving = regexp.MustCompile(`msg=serving visitors=(\S+) operator=(\S+)`)

// Start runs a server on free ports until the test ends, with a settings file and
// further variables. It returns once it serves.
func Start(t testing.TB, settings string, environ ...string) *Server {
	t.Helper()
	binary, err := filepath.Abs(cmp.Or(os.Getenv("BGREMOVER_BINARY"), "../../bin/bgremover"))
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Cmd: exec.Command(binary, "serve"), settings: filepath.Join(t.TempDir(), "bgremover.toml"), lines: make(chan string, 1000)} //nolint:gosec // the binary under test
	s.Write(t, settings)
	s.Env = append(os.Environ(), "BGREMOVER_CONFIG="+s.settings, "BGREMOVER_LISTEN=127.0.0.1:0", "BGREMOVER_ADMIN_LISTEN=127.0.0.1:0", "BGREMOVER_LOG_DIR="+t.TempDir())
	s.Env = append(s.Env, environ...)
	output, err := s.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatalf("run `make setup` first: %v", err)
	}
	t.Cleanup(func() {
		_ = s.Process.Kill()
		_ = s.Wait()
	})
	go func() {
		defer close(s.lines)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			select {
			case s.lines <- lines.Text():
			default: // nobody listens any more
			}
		}
	}()
	line := s.Await(t, "msg=serving")
	found := serving.FindStringSubmatch(line)
	if found == nil {
		t.Fatalf("where does it serve? %s", line)
	}
	s.Base, s.Operator = found[1], found[2]
	return s
}

// Await reads the log until a line holds a text, and returns that line.
func (s *Server) Await(t testing.TB, text string) string {
	t.Helper()
	deadline := time.After(3 * time.Minute)
	var last []string
	for {
		select {
		case line, open := <-s.lines:
			if !open {
				t.Fatalf("the server ended before it logged %q:\n%s", text, strings.Join(last, "\n"))
			}
			if strings.Contains(line, text) {
				return line
			}
			last = append(last, line)
		case <-deadline:
			t.Fatalf("the server does not log %q, but:\n%s", text, strings.Join(last, "\n"))
		}
	}
}

// Write replaces the settings file, of which the server never reads a part.
func (s *Server) Write(t testing.TB, settings string) {
	t.Helper()
	err := os.WriteFile(s.settings+".new", []byte(settings), 0o600)
	if err == nil {
		err = os.Rename(s.settings+".new", s.settings)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Status is a figure of proc(5)'s status, in bytes, such as VmRSS or VmHWM.
func (s *Server) Status(t testing.TB, name string) int64 {
	t.Helper()
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindStringSubmatch(s.proc(t, "status"))
	if found == nil {
		t.Fatalf("no %s in the process's status", name)
	}
	return number(t, found[1]) << 10
}

// ResetPeak has VmHWM count from now on (proc(5), clear_refs).
func (s *Server) ResetPeak(t testing.TB) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.Process.Pid), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
}

// ProcessorTime is what the process has used, its backends left out.
func (s *Server) ProcessorTime(t testing.TB) time.Duration {
	t.Helper()
	_, rest, _ := strings.Cut(s.proc(t, "stat"), ") ")
	fields := strings.Fields(rest)
	ticks := number(t, fields[11]) + number(t, fields[12]) // user and system, in hundredths of a second
	return time.Duration(ticks) * 10 * time.Millisecond
}

func (s *Server) proc(t testing.TB, file string) string {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.Process.Pid, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func number(t testing.TB, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
