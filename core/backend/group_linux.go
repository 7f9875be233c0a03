package backend

import (
	"os/exec"
	"syscall"
)

// group puts the process into a group of its own, so that a terminal's
// interrupt does not reach it while the host still drains, and has the kernel
// kill it when the thread that started it ends, which is when the host does:
// that also ends one that is stopped or ignores its host pipe.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
