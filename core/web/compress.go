package web

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

// made caches compressed documents: most pages survive a change of settings.
var made = struct {
	sync.Mutex
	documents map[[sha256.Size]byte]document
}{documents: map[[sha256.Size]byte]document{}}

// maxMade bounds the cache, in documents.
const maxMade = 256

// compressed makes a document of a text in every encoding, at the best level of
// each: this happens once per text, never per request.
func compressed(contentType string, body []byte) (*document, error) {
	key := sha256.Sum256(append([]byte(contentType+"\n"), body...))
	made.Lock()
	defer made.Unlock()
	if doc, known := made.documents[key]; known {
		return &doc, nil
	}
	encoded := map[string][]byte{}
	for _, encoding := range encodings {
		var err error
		if encoded[encoding], err = compress(encoding, body); err != nil {
			return nil, err
		}
	}
	if len(made.documents) >= maxMade {
		clear(made.documents)
	}
	doc := newDocument(contentType, body, encoded)
	made.documents[key] = *doc
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
