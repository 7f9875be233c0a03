package ort

import (
	"errors"

	ort "github.com/yalue/onnxruntime_go"
)

// shareArena gives the sessions that create makes one common arena, so that the
// memory of a run serves the next one, whatever its size. The arena is registered
// only during the call: it belongs to those sessions alone and is freed with the
// last of them. Only one call at a time.
func shareArena(create func() error) error {
	info, err := ort.GetMemoryInfo()
	if err != nil {
		return err
	}
	if err := ort.CreateAndRegisterAllocator(info, nil); err != nil {
		return err
	}
	return errors.Join(create(), ort.UnregisterAllocator(info))
}
