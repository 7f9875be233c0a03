//go:build unix && !linux

package backend

import (
	"os/exec"
	"syscall"
)

// group puts the process into a group of its own, so that a terminal's
// interrupt does not reach it while the host still drains.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
