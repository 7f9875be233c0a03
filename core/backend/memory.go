package backend

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// fits reports whether one more process of a backend fits into memory with the running
// ones. It needs what its configuration says, else what its last process used, else what
// the largest running one uses. The lock is held.
func (m *Manager) fits(s *supervisor) bool {
	var used, largest int64
	for _, other := range m.supervisors {
		if other.proc != nil {
			used += int64(other.about.Memory)
			largest = max(largest, int64(other.about.Memory))
		}
	}
	if used == 0 {
		return true
	}
	need := s.spec.Memory
	if need == 0 {
		need = int64(s.about.Memory)
	}
	if need == 0 {
		need = largest
	}
	if budget := m.options.Memory; budget > 0 {
		return used+need <= budget
	}
	free, known := freeMemory("/")
	return !known || need <= free
}

// freeMemory returns how much memory the machine, or the container that this
// process runs in, has left without swapping; root is that of the file system.
func freeMemory(root string) (free int64, known bool) {
	if text, err := os.ReadFile(root + "proc/meminfo"); err == nil {
		if kib, ok := field(text, "MemAvailable:"); ok {
			free, known = kib<<10, true
		}
	}
	group := root + "sys/fs/cgroup/memory."
	limit, err := number(group + "max")
	if err != nil {
		return free, known // "max", or no such group
	}
	current, err := number(group + "current")
	if err != nil {
		return free, known
	}
	left := limit - current
	if text, err := os.ReadFile(group + "stat"); err == nil {
		cached, _ := field(text, "inactive_file") // reclaimed on demand
		left += cached
	}
	if !known || left < free {
		free, known = left, true
	}
	return free, known
}

func number(file string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", file, err)
	}
	return n, nil
}

// field returns the number after a name at the start of a line.
func field(text []byte, name string) (int64, bool) {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) >= 2 && words[0] == name {
			n, err := strconv.ParseInt(words[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
