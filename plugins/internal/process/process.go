// Package process tells a backend about its own process.
package process

import (
	"bytes"
	"os"
	"strconv"
)

// Memory returns the resident bytes of this process, 0 if the system does not
// report them.
func Memory() uint64 {
	// Pages: size, resident, shared, ... (proc_pid_statm(5)).
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}
