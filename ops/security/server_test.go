package security_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"bgremover.pro/ops/security/crafted"
)

// server is the real binary, bin/bgremover or another one for comparison.
type server struct {
	*exec.Cmd
	base string
}

var serving = regexp.MustCompile(`msg=serving visitors=(\S+)`)

// start runs a server, whose memory is measured without its backend: nothing
// here gets as far as one.
func start(t *testing.T) *server {
	t.Helper()
	binary, err := filepath.Abs(cmp.Or(os.Getenv("BGREMOVER_BINARY"), "../../bin/bgremover"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	settings := filepath.Join(folder, "bgremover.toml")
	if err := os.WriteFile(settings, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := &server{Cmd: exec.Command(binary, "serve")}
	s.Env = append(os.Environ(), "BGREMOVER_CONFIG="+settings, "BGREMOVER_LISTEN=127.0.0.1:0", "BGREMOVER_ADMIN_LISTEN=127.0.0.1:0",
		"BGREMOVER_LOG_DIR="+filepath.Join(folder, "logs"), "BGREMOVER_LIMITS_DEVICE=off", "BGREMOVER_LIMITS_NETWORK=off")
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
	said := bufio.NewScanner(output)
	for s.base == "" && said.Scan() {
		if found := serving.FindStringSubmatch(said.Text()); found != nil {
			s.base = found[1]
		}
	}
	if s.base == "" {
		t.Fatal("the server ended")
	}
	go func() { _, _ = io.Copy(io.Discard, output) }()
	return s
}

// post sends a file and returns the status and the body of the answer.
func (s *server) post(ctx context.Context, file []byte) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/api/v1/cutouts?mode=fast", bytes.NewReader(file))
	if err != nil {
		return 0, "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

// status reads a figure, in bytes, of proc(5)'s status.
func (s *server) status(t *testing.T, name string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(text)
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// processorTime is what the server's process has used.
func (s *server) processorTime(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	var ticks int64
	for _, field := range strings.Fields(rest)[11:13] { // user and system, in hundredths of a second
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// refusedByHeader are the files that a server has to refuse before it decodes
// anything, with what its answer says.
var refusedByHeader = map[string]string{
	"png wide": "32767 a side", "png tall": "32767 a side", "png wide and whole": "32767 a side", "png tall and whole": "32767 a side",
	"jpeg wide": "32767 a side", "jpeg tall": "32767 a side", "webp on a wide canvas": "32767 a side",
	"gif wide": "32767 a side", "gif tall": "32767 a side", "bmp wide": "32767 a side", "bmp tall": "32767 a side",
	"tiff wide": "32767 a side", "tiff tall": "32767 a side", "heic wide": "32767 a side", "avif wide": "32767 a side",
	"png of the largest sides": "32767 a side", "png 65536 x 65536": "32767 a side", "webp of the largest sides": "megapixels",
	"png of empty chunks": "damaged", "jpeg of a thousand scans": "damaged", "jpeg of repeated scans": "damaged",
	"tiff of tiles that share much": "damaged", "tiff of rows that share much": "damaged",
	"heic of properties": "damaged", "heic of small links": "damaged", "heic of items": "damaged",
}

// What a header gives away costs a server next to nothing.
func TestServerRefusesByHeader(t *testing.T) {
	s := start(t)
	files := crafted.Files()
	const warmUp = "one byte" // the first request pays for what is made once
	for _, file := range files {
		if file.Name == warmUp {
			_, _, _ = s.post(t.Context(), file.Make(crafted.Scale{}))
		}
	}
	for _, file := range files {
		says, listed := refusedByHeader[file.Name]
		if !listed {
			continue
		}
		data := file.Make(crafted.Scale{Bytes: 3_000_000, Pixels: 40_000_000})
		before, began := s.status(t, "VmHWM"), s.processorTime(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		code, body, err := s.post(ctx, data)
		cancel()
		grown, took := s.status(t, "VmHWM")-before, s.processorTime(t)-began
		t.Logf("%-32s %9d bytes: %d, %d MB more at the peak, %v of processor time", file.Name, len(data), code, grown>>20, took)
		if err != nil || code < 400 || code >= 500 || !strings.Contains(body, says) {
			t.Errorf("%s: %d %q, %v", file.Name, code, body, err)
		}
		if grown > 64<<20 || took > time.Second {
			t.Errorf("%s: %d MB, %v", file.Name, grown>>20, took)
		}
	}
}
