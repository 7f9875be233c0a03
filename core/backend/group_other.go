//go:build !unix

package backend

import "os/exec"

// group does nothing: this system has no process groups.
func group(*exec.Cmd) {}
