package web

import (
	"bytes"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// encodings are the content codings on offer, best first.
var encodings = []string{"br", "zstd", "gzip"}

// compress returns body in every coding, as small as each gets: it happens
// once a document, never for a request.
func compress(body []byte) (map[string][]byte, error) {
	encoded := map[string][]byte{}
	for _, encoding := range encodings {
		var out bytes.Buffer
		w, err := newEncoder(encoding, &out)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(body); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		encoded[encoding] = out.Bytes()
	}
	return encoded, nil
}

func newEncoder(encoding string, w io.Writer) (io.WriteCloser, error) {
	switch encoding {
	case "br":
		return brotli.NewWriterLevel(w, brotli.BestCompression), nil
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	default:
		return gzip.NewWriterLevel(w, gzip.BestCompression)
	}
}
