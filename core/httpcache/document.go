// Package httpcache is HTTP caching: documents that are the same for everyone, made
// once in every encoding, with validators and ranges; and the headers that say who
// may keep a response, for how long, and by which tags it is purged.
package httpcache

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Document is a response that is the same for everyone, made once and kept in
// every encoding.
type Document struct {
	Link []string // the Link header: what the first paint needs

	contentType []string
	plain       variant
	encoded     func() []variant // best first
}

// variant is a document in one encoding, with the headers ready to be sent.
type variant struct {
	encoding string // "" for the plain one
	body     []byte
	etag     []string
	length   []string
	header   []string // Content-Encoding
}

// New makes a document without encodings, for what is compressed already.
func New(contentType string, body []byte) *Document { return Encoded(contentType, body, nil) }

// Encoded makes a document of a body and what it is in some encodings, of which it
// keeps those that are smaller.
func Encoded(contentType string, body []byte, encoded map[string][]byte) *Document {
	return document(contentType, body, func([sha256.Size]byte) map[string][]byte { return encoded })
}

// document encodes a body at the first request for it.
func document(contentType string, body []byte, encode func(sum [sha256.Size]byte) map[string][]byte) *Document {
	sum := sha256.Sum256(append([]byte(contentType+"\n"), body...))
	hash := base64.RawURLEncoding.EncodeToString(sum[:12])
	return &Document{
		contentType: []string{contentType}, plain: newVariant("", hash, body),
		encoded: sync.OnceValue(func() (all []variant) {
			encoded := encode(sum)
			for _, encoding := range encodings {
				if b := encoded[encoding]; b != nil && len(b) < len(body) {
					all = append(all, newVariant(encoding, hash+"-"+encoding, b))
				}
			}
			return all
		}),
	}
}

func newVariant(encoding, tag string, body []byte) variant {
	v := variant{
		encoding: encoding, body: body,
		etag: []string{`"` + tag + `"`}, length: []string{strconv.Itoa(len(body))},
	}
	if encoding != "" {
		v.header = []string{encoding}
	}
	return v
}

// Plain returns the body without encoding.
func (d *Document) Plain() []byte { return d.plain.body }

// ServeHTTP answers a GET or HEAD, conditional or in ranges or whole. The headers
// that caches act on are a Policy's.
func (d *Document) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	v := d.pick(r.Header["Accept-Encoding"])
	h["Content-Type"] = d.contentType
	h["Etag"] = v.etag
	h["Accept-Ranges"] = byteRanges // without it, nginx serves no ranges from its cache
	if d.Link != nil {
		h["Link"] = d.Link
	}
	if v.header != nil {
		h["Content-Encoding"] = v.header
	}
	h["Content-Length"] = v.length
	switch {
	case conditional(r.Header):
		if r.Header["If-Match"] != nil {
			delete(h, "Content-Length") // the answer may be a 412, which has no body
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(v.body))
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusOK)
	default:
		_, _ = w.Write(v.body)
	}
}

var byteRanges = []string{"bytes"}

func conditional(h http.Header) bool {
	return h["If-None-Match"] != nil || h["Range"] != nil || h["If-Match"] != nil || h["If-Modified-Since"] != nil
}

// pick returns the best variant that a client accepts.
func (d *Document) pick(accept []string) variant {
	if len(accept) == 0 {
		return d.plain
	}
	for _, v := range d.encoded() {
		if acceptsAny(accept, v.encoding) {
			return v
		}
	}
	return d.plain
}

// acceptsAny reads the Accept-Encoding fields of a request.
func acceptsAny(fields []string, encoding string) bool {
	return len(fields) > 0 && accepts(strings.Join(fields, ","), encoding)
}

// accepts reads an Accept-Encoding field (RFC 9110, 12.5.3). An encoding's own
// name outranks the asterisk; a weight of zero refuses it.
func accepts(accepted, encoding string) bool {
	any := false
	for item := range strings.SplitSeq(accepted, ",") {
		name, weight, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != encoding && name != "*" {
			continue
		}
		_, q, weighted := strings.Cut(strings.ReplaceAll(strings.ToLower(weight), " ", ""), "q=")
		number, err := strconv.ParseFloat(q, 64)
		takes := !weighted || err == nil && number > 0
		if name == encoding {
			return takes
		}
		any = takes
	}
	return any
}
