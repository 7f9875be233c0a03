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

// cache holds compressed documents: most pages survive a change of settings.
var cache = struct {
	sync.Mutex
	documents map[[sha256.Size]byte]Document
}{documents: map[[sha256.Size]byte]Document{}}

// maxCached bounds the cache, in documents.
const maxCached = 256

// Compressed makes a document of a text in every encoding, at the best level of
// each: this happens once per text, never per request.
func Compressed(contentType string, body []byte) (*Document, error) {
	key := sha256.Sum256(append([]byte(contentType+"\n"), body...))
	cache.Lock()
	defer cache.Unlock()
	if doc, known := cache.documents[key]; known {
		return &doc, nil
	}
	encoded := map[string][]byte{}
	for _, encoding := range encodings {
		var err error
		if encoded[encoding], err = compress(encoding, body); err != nil {
			return nil, err
		}
	}
	if len(cache.documents) >= maxCached {
		clear(cache.documents)
	}
	doc := Encoded(contentType, body, encoded)
	cache.documents[key] = *doc
	return doc, nil
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
