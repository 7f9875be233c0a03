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
// back. Codes: Canceled, Timeout.
func (r *room) reserve(ctx context.Context, photo, behind *decode.Upload) (free func(), err error) {
	need := photo.Memory
	if behind != nil {
		need += behind.Memory
	}
	need = min(need, r.size)
	if err := r.bytes.Acquire(ctx, need); err != nil {
		return nil, err
	}
	return func() { r.bytes.Release(need) }, nil
}
