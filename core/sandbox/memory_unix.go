//go:build unix

package sandbox

import (
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// memory reserves addresses for all that a process may use; the system provides
// pages as they are touched and takes them back when the process ends. Nothing
// is copied as it grows, and nothing waits for the garbage collector.
type memory struct {
	reserved []byte
	used     int64
}

func newMemory(most uint64) experimental.LinearMemory {
	reserved, err := syscall.Mmap(-1, 0, int(most), syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return &memory{}
	}
	return &memory{reserved: reserved}
}

func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.reserved)) {
		return nil
	}
	account(int64(size) - m.used)
	m.used = int64(size)
	return m.reserved[:size]
}

func (m *memory) Free() {
	if m.reserved != nil {
		_ = syscall.Munmap(m.reserved)
		m.reserved = nil
		account(-m.used)
		m.used = 0
	}
}
