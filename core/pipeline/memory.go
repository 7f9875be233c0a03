package pipeline

import (
	"context"

	"golang.org/x/sync/semaphore"

	"bgremover.pro/core/decode"
)

// room is the memory that all jobs together may take for decoding, so that
// many large photos at once do not exhaust the machine.
type room struct {
	size  int64
	bytes *semaphore.Weighted
}

func newRoom(size int64) *room {
	return &room{size: size, bytes: semaphore.NewWeighted(size)}
}

// reserve waits until there is room for a photo and, where there is one, for the
// picture behind it, by what their headers say, and returns what gives the room
// back. What is over the limits needs none: decode refuses it by its header too.
// Codes: those of decode.Probe, Canceled, Timeout.
func (r *room) reserve(ctx context.Context, limits decode.Limits, upload, behind []byte) (free func(), err error) {
	need, err := memoryOf(upload, limits)
	if err != nil {
		return nil, err
	}
	if len(behind) > 0 {
		more, err := memoryOf(behind, limits)
		if err != nil {
			return nil, aboutBehind(err)
		}
		need += more
	}
	need = min(need, r.size)
	if err := r.bytes.Acquire(ctx, need); err != nil {
		return nil, err
	}
	return func() { r.bytes.Release(need) }, nil
}

func memoryOf(file []byte, limits decode.Limits) (int64, error) {
	header, err := decode.Probe(file)
	if err != nil || header.Memory > limits.MaxMemory || header.Width*header.Height > limits.MaxPixels {
		return 0, err
	}
	return header.Memory, nil
}
