package backend

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"bgremover.pro/core/cutout"
)

func TestEndsWithItsHost(t *testing.T) {
	for name, stopped := range map[string]bool{"working": false, "stopped": true} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(hostJob{[]Spec{fake("one")}, []cutout.Model{testModel(t, "first", 32)}, t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			host := exec.CommandContext(soon(t), os.Args[0])
			host.Env = append(os.Environ(), asHost+"="+string(text))
			host.Stderr = os.Stderr
			out, err := host.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := host.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatalf("the host did not come up: %v", err)
			}
			var pid int
			if _, err := fmt.Sscan(strings.TrimSpace(line), &pid); err != nil {
				t.Fatal(err)
			}
			backend, err := unix.PidfdOpen(pid, 0)
			if err != nil {
				t.Fatalf("the backend does not run: %v", err)
			}
			defer unix.Close(backend)
			if stopped {
				if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
			}
			if err := host.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = host.Wait()
			polled := []unix.PollFd{{Fd: int32(backend), Events: unix.POLLIN}}
			if n, err := unix.Poll(polled, 120_000); err != nil || n != 1 {
				t.Errorf("the backend outlives its host: %v", err)
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		})
	}
}

// TestEnvironment: a backend gets the intended variables and no secret.
func TestEnvironment(t *testing.T) {
	t.Setenv("BGREMOVER_REDIS_URL", "redis://:secret@host")
	t.Setenv("NVIDIA_VISIBLE_DEVICES", "0")
	t.Setenv("SOME_TOKEN", "secret")
	t.Setenv("WANTED", "yes")
	spec := fake("one")
	spec.Env = []string{"NVIDIA_*", "WANTED", "OWN=1"}
	m := started(t, patient(t, spec))
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(statusOf(m, "one").PID), "environ"))
	if err != nil {
		t.Fatal(err)
	}
	env := strings.ReplaceAll(string(text), "\x00", "\n")
	for _, want := range []string{"NVIDIA_VISIBLE_DEVICES=0\n", "WANTED=yes\n", "OWN=1\n", "PATH="} {
		if !strings.Contains(env, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(env, "secret") {
		t.Errorf("a secret is in the environment:\n%s", env)
	}
}
