// Package sandbox runs codecs that were compiled from C to WebAssembly, each call
// in memory of its own that is freed at once: in wazero, which also bounds it, or in
// the browser, which this program itself runs in there.
package sandbox

import "errors"

var (
	// ErrMemory means that a call needed more memory than it may have.
	ErrMemory = errors.New("the codec ran out of memory")
	// ErrAbsent means that the browser could not load the program.
	ErrAbsent = errors.New("the codec could not be loaded")
)
