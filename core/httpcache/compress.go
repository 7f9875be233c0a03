package httpcache

import (
	"bytes"
	"crypto/sha256"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// encodings are the content codings on offer, best first.
var encodings = []string{"br", "zstd", "gzip"}

// cache holds compressed texts: most pages survive a change of settings.
var cache = struct {
	sync.Mutex
	documents map[[sha256.Size]byte]map[string][]byte
}{documents: map[[sha256.Size]byte]map[string][]byte{}}

// maxCached bounds the cache, in texts.
const maxCached = 256

// Compressed makes a document of a text in every encoding, at the best level of each: this
// happens once per text, at the first request for it.
func Compressed(contentType string, body []byte) *Document {
	return document(contentType, body, func(sum [sha256.Size]byte) map[string][]byte {
		cache.Lock()
		defer cache.Unlock()
		if encoded, known := cache.documents[sum]; known {
			return encoded
		}
		encoded := map[string][]byte{}
		for _, encoding := range encodings {
			if b, err := compress(encoding, body); err == nil {
				encoded[encoding] = b
			}
		}
		if len(cache.documents) >= maxCached {
			clear(cache.documents)
		}
		cache.documents[sum] = encoded
		return encoded
	})
}

func compress(encoding string, body []byte) ([]byte, error) {
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch encoding {
	case "zstd":
		z, err := zstandard()
		if err != nil {
			return nil, err
		}
		return z.EncodeAll(body, nil), nil
	case "br":
		w = brotli.NewWriterLevel(&out, brotli.BestCompression)
	default:
		w, err = gzip.NewWriterLevel(&out, gzip.BestCompression)
	}
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// zstandard is one shared encoder: creating it is slow.
var zstandard = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
})
