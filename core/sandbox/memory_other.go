//go:build !unix

package sandbox

import "github.com/tetratelabs/wazero/experimental"

type memory struct {
	most uint64
	data []byte
}

func newMemory(most uint64) experimental.LinearMemory { return &memory{most: most} }

func (m *memory) Reallocate(size uint64) []byte {
	if size > m.most {
		return nil
	}
	if grow := int(size) - len(m.data); grow > 0 {
		m.data = append(m.data, make([]byte, grow)...)
	}
	return m.data
}

func (m *memory) Free() { m.data = nil }
