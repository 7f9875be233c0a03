package load_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// server is the real binary.
type server struct {
	*exec.Cmd
	base, operator string
	settings       string      // its settings file
	lines          chan string // its log
	atMost         int64       // bytes that it may hold, where that is watched
}

var serving = regexp.MustCompile(`msg=serving visitors=(\S+) operator=(\S+)`)

// start runs the server with a settings file and returns once it says a text.
func start(t testing.TB, settings, until string, environ ...string) *server {
	t.Helper()
	binary, err := filepath.Abs(cmp.Or(os.Getenv("SERVER_BINARY"), "../../bin/bgremover"))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Cmd: exec.Command(binary, "serve"), settings: filepath.Join(t.TempDir(), "bgremover.toml"), lines: make(chan string, 1000)}
	s.write(t, settings)
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
		for said := bufio.NewScanner(output); said.Scan(); {
			select {
			case s.lines <- said.Text():
			default: // nobody listens any more
			}
		}
	}()
	line := s.await(t, "msg=serving")
	found := serving.FindStringSubmatch(line)
	if found == nil {
		t.Fatalf("where does it serve? %s", line)
	}
	s.base, s.operator = found[1], found[2]
	if until != "" {
		s.await(t, until)
	}
	return s
}

// await reads what the server says until it says a text.
func (s *server) await(t testing.TB, text string) string {
	t.Helper()
	deadline := time.After(3 * time.Minute)
	var last []string
	for {
		select {
		case line, open := <-s.lines:
			if !open {
				t.Fatalf("the server ended before it said %q:\n%s", text, strings.Join(last, "\n"))
			}
			if strings.Contains(line, text) {
				return line
			}
			last = append(last, line)
		case <-deadline:
			t.Fatalf("the server does not say %q, but:\n%s", text, strings.Join(last, "\n"))
		}
	}
}

func (s *server) write(t testing.TB, settings string) {
	t.Helper()
	if err := os.WriteFile(s.settings, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
}

// client speaks from an address of its own.
func client(t testing.TB, from string) *http.Client {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// ask returns the status and the body of an answer.
func ask(ctx context.Context, c *http.Client, method, url string, body io.Reader) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "application/octet-stream")
	answer, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(got), err
}

func (s *server) post(ctx context.Context, c *http.Client, body []byte) (int, error) {
	status, _, err := ask(ctx, c, http.MethodPost, s.base+"/api/v1/cutouts?mode=fast", bytes.NewReader(body))
	return status, err
}

func (s *server) cutout(t testing.TB, c *http.Client, photo []byte) time.Duration {
	t.Helper()
	began := time.Now()
	status, err := s.post(t.Context(), c, photo)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d: %v", status, err)
	}
	return time.Since(began)
}

// memory is what the server's process keeps, in bytes.
func (s *server) memory(t testing.TB) int64 {
	fields := strings.Fields(string(read(t, fmt.Sprintf("/proc/%d/statm", s.Process.Pid))))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// processorTime is what the server's process has used, its backends left out.
func (s *server) processorTime(t testing.TB) time.Duration {
	_, rest, _ := strings.Cut(string(read(t, fmt.Sprintf("/proc/%d/stat", s.Process.Pid))), ") ")
	var ticks int64
	for _, f := range strings.Fields(rest)[11:13] { // user and system, in hundredths of a second
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// photoFile is one that core/app's tests have too.
const photoFile = "../../core/app/testdata/photos/astronaut.jpg"
