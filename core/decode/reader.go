package decode

import (
	"bytes"
	"context"
	"io"
)

// reader hands a file to a codec and fails once the context is done, which is
// the one way to stop the standard library's decoders.
type reader struct {
	context.Context //nolint:containedctx // the reader lives within one call
	bytes.Reader
}

// readStep is how many bytes a codec gets before the context is looked at again:
// 64 can stand for a million blocks of a progressive JPEG, and for 64 KB of a PNG.
const readStep = 64

func newReader(ctx context.Context, data []byte) *reader {
	r := &reader{Context: ctx}
	r.Reset(data)
	return r
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p[:min(len(p), readStep)])
}

func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	if err := r.Err(); err != nil {
		return 0, err
	}
	return r.Reader.ReadAt(p, off)
}

// ReadByte would bypass the context check: codecs that want bytes get a buffer.
func (r *reader) plain() io.Reader { return struct{ io.Reader }{r} }
