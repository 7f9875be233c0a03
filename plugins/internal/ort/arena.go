package ort

import (
	"errors"

	ort "github.com/yalue/onnxruntime_go"
)

// shareArena gives the sessions that create makes one arena together, so that
// what a run needed serves the next one of whatever size. The arena is known
// to the runtime only meanwhile: it belongs to those sessions alone and goes
// with the last of them. Only one call at a time.
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
