package app

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bgremover.pro/core/cutout"
)

// binary builds the server once for all tests of this package.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := plugins()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "bgremover")
	build := exec.Command("go", "build", "-o", path, "bgremover.pro/cmd/bgremover")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		return "", &buildError{out}
	}
	return path, nil
})

type buildError struct{ output []byte }

func (e *buildError) Error() string { return string(e.output) }

// process is the real binary, serving.
type process struct {
	*exec.Cmd
	visitors, operator string

	said   strings.Builder // on standard error; complete once silent is closed
	silent chan struct{}
}

var serving = regexp.MustCompile(`msg=serving visitors=(\S+) operator=(\S+)`)

// start runs `bgremover serve` in a folder and returns once a backend is ready.
func start(t *testing.T, dir string, more ...string) *process {
	t.Helper()
	return startUnder(t, nil, dir, more...)
}

// startUnder runs it under another command, such as a tracer.
func startUnder(t *testing.T, command []string, dir string, more ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal("the server cannot be built:", err)
	}
	command = append(command, path, "serve")
	p := &process{Cmd: exec.Command(command[0], command[1:]...), silent: make(chan struct{})}
	p.Dir = dir
	p.Env = environ(t, more...)
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
		<-p.silent // nobody logs after the test
	})
	ready := make(chan bool, 1)
	go func() {
		defer close(p.silent)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			p.said.WriteString(lines.Text() + "\n")
			if m := serving.FindStringSubmatch(lines.Text()); m != nil {
				p.visitors, p.operator = m[1], m[2]
			}
			if strings.Contains(lines.Text(), "backend is ready") {
				ready <- true
			}
			t.Log(lines.Text())
		}
		close(ready)
	}()
	select {
	case ok := <-ready:
		if !ok {
			t.Fatal("the server ended before it was ready")
		}
	case <-time.After(startLimit):
		t.Fatal("the server was not ready within", startLimit)
	}
	return p
}

// backend asks the operator's listener for the state of a backend.
func (p *process) backend(t *testing.T, name string) cutout.BackendStatus {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.operator+"/backends.json", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+operatorToken(t))
	_, content := answerTo(t, r)
	var backends []cutout.BackendStatus
	err = json.Unmarshal(content, &backends)
	for _, b := range backends {
		if b.Name == name {
			return b
		}
	}
	t.Fatalf("no %s: %v, %s", name, err, content)
	return cutout.BackendStatus{}
}

// post sends a photo and returns the status and the body.
func (p *process) post(t *testing.T, query string, upload io.Reader) (int, []byte) {
	t.Helper()
	answer, err := http.Post(p.visitors+"/api/v1/cutouts"+query, "application/octet-stream", upload)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, body
}

func TestKilledServerLeavesNoProcess(t *testing.T) {
	p := start(t, t.TempDir())
	pid := p.backend(t, "onnx-cpu").PID
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := p.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// A pidfd becomes readable when its process has ended.
	var n int
	for deadline := time.Now().Add(startLimit); n == 0 && time.Now().Before(deadline); {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(time.Until(deadline).Milliseconds()))
		if errors.Is(err, unix.EINTR) { // Go's own signals do that
			n = 0
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("the backend %d outlives the killed server", pid)
	}
}

// Uploads need no folder that can be written to: neither the working folder
// nor the temporary one, not even for the largest.
func TestLargeUploadsWithoutAWritableFolder(t *testing.T) {
	p := start(t, "/proc", "TMPDIR=/proc/nowhere", "BGREMOVER_ACCESS_LOG=off")
	upload := noise(t, 25<<20)
	if status, body := p.post(t, "?mode=fast&edges=raw", bytes.NewReader(upload)); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}

// noise makes an incompressible PNG of about the given size.
func noise(t *testing.T, size int) []byte {
	t.Helper()
	side := 1
	for 3*side*side < size {
		side++
	}
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(img.Pix)
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	var file bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// Every hostile file gets a clear answer, none takes more memory than the
// limit says, and the server keeps running.
func TestHostileFilesAgainstTheServer(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/photos/hostile/*")
	if len(files) == 0 {
		t.Skip("no ../shared/photos beside the checkout")
	}
	p := start(t, t.TempDir())
	if status, body := p.post(t, "?mode=fast", bytes.NewReader(photo(t, "coffee.jpg"))); status != http.StatusOK {
		t.Fatalf("warm-up: %d %s", status, body)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		resetPeak(t, p.Process.Pid)
		idle := memory(t, p.Process.Pid, "VmRSS")
		began := time.Now()
		status, body := p.post(t, "?mode=fast", bytes.NewReader(content))
		peak := memory(t, p.Process.Pid, "VmHWM")
		t.Logf("%-28s %d in %4d ms, %4d MB above idle", filepath.Base(file), status, time.Since(began).Milliseconds(), (peak-idle)>>20)
		switch status {
		case http.StatusOK:
			if _, err := png.DecodeConfig(bytes.NewReader(body)); err != nil {
				t.Errorf("%s: the answer is no PNG: %v", filepath.Base(file), err)
			}
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
			var problem struct{ Code, Detail string }
			if json.Unmarshal(body, &problem) != nil || problem.Code == "" || problem.Detail == "" {
				t.Errorf("%s: refused without a word: %s", filepath.Base(file), body)
			}
			if peak-idle > 300<<20 {
				t.Errorf("%s: refused at the cost of %d MB", filepath.Base(file), (peak-idle)>>20)
			}
		default:
			t.Errorf("%s: %d %s", filepath.Base(file), status, body)
		}
	}
	if status, body := p.post(t, "?mode=fast", bytes.NewReader(photo(t, "coffee.jpg"))); status != http.StatusOK {
		t.Errorf("afterwards: %d %s", status, body)
	}
}

// resetPeak resets VmHWM (proc(5), clear_refs).
func resetPeak(t *testing.T, pid int) {
	t.Helper()
	if err := os.WriteFile("/proc/"+strconv.Itoa(pid)+"/clear_refs", []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
}

// memory reads a size of a process in bytes.
func memory(t *testing.T, pid int, field string) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(field + `:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("no %s in %s", field, status)
	}
	kilobytes, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kilobytes << 10
}
