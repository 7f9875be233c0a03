package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// memory is what a process holds, in bytes, and the most it has held.
type memory struct{ now, peak int64 }

// readMemory works on Linux only; elsewhere reports have no memory figures.
func readMemory(pid int) (memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, err
	}
	m := memory{now: kilobytes(status, "VmRSS:"), peak: kilobytes(status, "VmHWM:")}
	if m.now == 0 || m.peak == 0 {
		return memory{}, fmt.Errorf("process %d has no memory", pid)
	}
	return m, nil
}

func kilobytes(status []byte, name string) int64 {
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) >= 2 && words[0] == name {
			n, _ := strconv.ParseInt(words[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

// resetPeak resets the peak of this process and returns what it holds now; 0 if the
// system does not support that.
func resetPeak() memory {
	const peakOnly = "5" // see proc(5), clear_refs
	if err := os.WriteFile("/proc/self/clear_refs", []byte(peakOnly), 0); err != nil {
		return memory{}
	}
	m, _ := readMemory(os.Getpid())
	return m
}

func sortProcesses(all []Process) {
	slices.SortFunc(all, func(a, b Process) int { return strings.Compare(a.Name, b.Name) })
}

// processorName is the processor's trade name, if Linux reports it.
func processorName() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
