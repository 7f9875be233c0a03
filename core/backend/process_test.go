package backend

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"bgremover.pro/core/cutout"
)

func TestServes(t *testing.T) {
	m := started(t, patient(t, fake("one")))
	run := works(t, m, "")
	if run.Backend != "one" || run.Device != "cpu" || run.Model != "first" || len(run.Sizes) != 1 || run.Sizes[0] != 32 || run.Inference <= 0 {
		t.Errorf("the run is not told rightly: %+v", run)
	}
	if err := m.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
	st := statusOf(m, "one")
	if st.State != Ready || !st.Active || !st.Serving || st.Provider != "arithmetic" || st.PID == 0 || st.Memory == 0 || st.Requests != 1 {
		t.Errorf("status: %+v", st)
	}
}

const asHost = "BACKEND_TEST_HOST"

type hostJob struct {
	Specs  []Spec
	Models []cutout.Model
	RunDir string
}

// actAsHost runs a Manager until it is killed; it prints the process id of its
// backend once that serves.
func actAsHost() {
	var job hostJob
	if err := json.Unmarshal([]byte(os.Getenv(asHost)), &job); err != nil {
		panic(err)
	}
	m, err := New(Options{Specs: job.Specs, Models: job.Models, RunDir: job.RunDir})
	if err != nil {
		panic(err)
	}
	if err := m.Start(context.Background()); err != nil {
		panic(err)
	}
	fmt.Println(m.Snapshot()[0].PID)
	select {}
}

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
			if n, err := unix.Poll(polled, 20_000); err != nil || n != 1 {
				t.Errorf("the backend outlives its host: %v", err)
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		})
	}
}
