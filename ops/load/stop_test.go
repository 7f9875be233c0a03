package load_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDrainFinishesUploads ends the server while half a photo has come.
func TestDrainFinishesUploads(t *testing.T) {
	s := start(t, "limits_device = \"off\"\ndrain_delay = \"1s\"\ndrain_timeout = \"2m\"\n", "backend is ready")
	photo := read(t, photoFile)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.Base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	send := func(data string) {
		if _, err := conn.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	half := len(photo) / 2
	send(fmt.Sprintf("POST /api/v1/cutouts?mode=fast HTTP/1.1\r\nHost: load\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", len(photo)))
	send(string(photo[:half]))
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.Await(t, "msg=stopping")
	send(string(photo[half:]))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the upload was answered with %s", answer.Status)
	}
	if err := s.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
}

func TestASecondSignalStopsAtOnce(t *testing.T) {
	s := start(t, "drain_delay = \"1m\"\ndrain_timeout = \"2m\"\n", "")
	began := time.Now()
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.Await(t, "msg=stopping")
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	for {
		// Again where the first was still being dealt with.
		_ = s.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() { //nolint:misspell // its name
				t.Errorf("it ended by itself: %v", err)
			}
			if took := time.Since(began); took >= time.Minute {
				t.Errorf("it waited for %v", took)
			}
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// TestSystemdIsTold stands for systemd on the other side of its socket.
func TestSystemdIsTold(t *testing.T) {
	dir, err := os.MkdirTemp("", "notify") //nolint:usetesting // whose names are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, "socket")})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	told := func(want string) {
		t.Helper()
		_ = socket.SetReadDeadline(time.Now().Add(3 * time.Minute))
		for buffer := make([]byte, 1000); ; {
			n, err := socket.Read(buffer)
			if err != nil {
				t.Fatalf("nobody says %s: %v", want, err)
			}
			if string(buffer[:n]) == want {
				return
			}
		}
	}
	s := start(t, "drain_delay = \"0s\"\n", "", "NOTIFY_SOCKET="+filepath.Join(dir, "socket"), "WATCHDOG_USEC=200000")
	told("READY=1")
	told("WATCHDOG=1")
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	told("STOPPING=1")
	if err := s.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
}

// TestMistakesEndTheStart: every mistake in the settings is reported at once.
func TestMistakesEndTheStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		settings string
		want     []string
	}{
		"mistyped and unknown": {"limits_device = \"-5/1h\"\nlimit_network = \"off\"\nqueue = \"many\"\n",
			[]string{"limits_device", `"-5/1h"`, "limit_network", "limits_network", "queue", `"many"`, "bgremover.toml"}},
		"visitors' address in use":      {fmt.Sprintf("listen = %q\n", taken.Addr()), []string{"listen", taken.Addr().String(), "in use"}},
		"the operator's address in use": {fmt.Sprintf("admin_listen = %q\n", taken.Addr()), []string{"admin_listen", taken.Addr().String(), "in use"}},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "bgremover.toml")
		settings := "log_dir = \"" + dir + "/logs\"\n" + c.settings
		for key, value := range map[string]string{"listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0"} {
			if !strings.Contains("\n"+c.settings, "\n"+key+" ") {
				settings += fmt.Sprintf("%s = %q\n", key, value)
			}
		}
		if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "../../bin/bgremover", "serve")
		cmd.Env = append(os.Environ(), "BGREMOVER_CONFIG="+file)
		out, _ := cmd.CombinedOutput()
		if status := cmd.ProcessState.ExitCode(); status != 2 {
			t.Errorf("%s: exit status %d", name, status)
		}
		for _, part := range c.want {
			if !strings.Contains(string(out), part) {
				t.Errorf("%s: %q is not told of:\n%s", name, part, out)
			}
		}
	}
}
