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

// reserve waits until there is room for a photo, by what its header says, and
// returns what gives the room back. A photo over the limits needs none: decode
// refuses it by its header too. Codes: those of decode.Probe, Canceled, Timeout.
func (r *room) reserve(ctx context.Context, upload []byte, limits decode.Limits) (free func(), err error) {
	header, err := decode.Probe(upload)
	if err != nil {
		return nil, err
	}
	if header.Memory > limits.MaxMemory || header.Width*header.Height > limits.MaxPixels {
		return func() {}, nil
	}
	need := min(header.Memory, r.size)
	if err := r.bytes.Acquire(ctx, need); err != nil {
		return nil, err
	}
	return func() { r.bytes.Release(need) }, nil
}
