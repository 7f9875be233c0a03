package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// document is an answer that is the same for everyone, made once and kept in
// every encoding.
type document struct {
	contentType []string
	link        []string  // the Link header: what the first paint needs
	variants    []variant // best first; the last is the plain one
}

// variant is a document in one encoding, with the headers ready to be sent.
type variant struct {
	encoding string // "" for the plain one
	body     []byte
	etag     []string
	length   []string
	header   []string // Content-Encoding
}

// newDocument keeps the encodings that make body smaller.
func newDocument(contentType string, body []byte, encoded map[string][]byte) *document {
	d := &document{contentType: []string{contentType}}
	sum := sha256.Sum256(append([]byte(contentType+"\n"), body...))
	hash := base64.RawURLEncoding.EncodeToString(sum[:12])
	for _, encoding := range encodings {
		if b := encoded[encoding]; b != nil && len(b) < len(body) {
			d.variants = append(d.variants, newVariant(encoding, hash+"-"+encoding, b))
		}
	}
	d.variants = append(d.variants, newVariant("", hash, body))
	return d
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

// plain returns the body without encoding.
func (d *document) plain() []byte { return d.variants[len(d.variants)-1].body }

// serve answers a GET or HEAD, conditional or in ranges or whole. The headers
// that caches act on are set by the route's class.
func (d *document) serve(c *gin.Context) {
	r, h := c.Request, c.Writer.Header()
	v := d.pick(r.Header["Accept-Encoding"])
	h["Content-Type"] = d.contentType
	h["Etag"] = v.etag
	h["Accept-Ranges"] = byteRanges // without it, nginx serves no ranges from its cache
	if d.link != nil {
		h["Link"] = d.link
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
		http.ServeContent(c.Writer, r, "", time.Time{}, bytes.NewReader(v.body))
	case r.Method == http.MethodHead:
		c.Writer.WriteHeader(http.StatusOK)
		c.Writer.WriteHeaderNow()
	default:
		_, _ = c.Writer.Write(v.body)
	}
}

var byteRanges = []string{"bytes"}

func conditional(h http.Header) bool {
	return h["If-None-Match"] != nil || h["Range"] != nil || h["If-Match"] != nil || h["If-Modified-Since"] != nil
}

// pick returns the best variant that a client accepts.
func (d *document) pick(accept []string) variant {
	plain := d.variants[len(d.variants)-1]
	if len(accept) == 0 {
		return plain
	}
	accepted := strings.Join(accept, ",")
	for _, v := range d.variants {
		if v.encoding != "" && accepts(accepted, v.encoding) {
			return v
		}
	}
	return plain
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
