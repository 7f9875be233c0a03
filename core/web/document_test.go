package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"bgremover.pro/core/httpcache"
	"bgremover.pro/static"
)

func decode(t *testing.T, encoding, body string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	var err error
	switch encoding {
	case "br":
		r = brotli.NewReader(r)
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		z, zerr := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if zerr == nil {
			defer z.Close()
		}
		r, err = z, zerr
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", encoding, err)
	}
	return string(text)
}

func TestEncodings(t *testing.T) {
	s := start(t, succeed)
	for _, path := range []string{"/", "/sw.js", static.Path("css/tokens.css"), static.Path("icons/icon-512.png")} {
		plain := s.get(path)
		tags := map[string]string{plain.header.Get("Etag"): "plain"}
		for _, encoding := range []string{"br", "zstd", "gzip"} {
			r := s.get(path, "Accept-Encoding", encoding)
			got := r.header.Get("Content-Encoding")
			if strings.HasSuffix(path, ".png") {
				if got != "" {
					t.Errorf("%s: %s", path, got)
				}
				continue
			}
			if got != encoding || decode(t, encoding, r.body) != plain.body {
				t.Errorf("%s: asked for %s, got %q", path, encoding, got)
			}
			if len(r.body) >= len(plain.body) || r.header.Get("Content-Length") != strconv.Itoa(len(r.body)) {
				t.Errorf("%s in %s: %d of %d bytes", path, encoding, len(r.body), len(plain.body))
			}
			tag := r.header.Get("Etag")
			if other := tags[tag]; other != "" || strings.HasPrefix(tag, "W/") || !strings.HasPrefix(tag, `"`) {
				t.Errorf("%s: ETag %s in %s and in %s", path, tag, encoding, other)
			}
			tags[tag] = encoding
		}
	}
}

// A 304 repeats the headers that caches go by.
func TestConditionalRequests(t *testing.T) {
	s := start(t, succeed)
	for _, path := range []string{"/", static.Path("css/tokens.css"), "/sw.js", "/manifest.webmanifest"} {
		whole := s.get(path, "Accept-Encoding", "br")
		tag := whole.header.Get("Etag")
		for name, condition := range map[string]string{"strong": tag, "weakened by an edge": "W/" + tag, "in a list": `"a", ` + tag + `, "b"`, "any": "*"} {
			r := s.get(path, "Accept-Encoding", "br", "If-None-Match", condition)
			if r.status != 304 || r.body != "" {
				t.Fatalf("%s, %s: %d", path, name, r.status)
			}
			for _, field := range []string{"Cache-Control", "Etag", "Vary", "Surrogate-Key", "Xkey", "Cache-Tag", "Cache-Groups", "Content-Security-Policy"} {
				if r.header.Get(field) != whole.header.Get(field) {
					t.Errorf("%s: %s: %q, want %q", path, field, r.header.Get(field), whole.header.Get(field))
				}
			}
		}
		s.get(path, "Accept-Encoding", "gzip", "If-None-Match", tag).expect(t, 200)
		s.get(path, "Accept-Encoding", "br", "If-None-Match", `"another"`).expect(t, 200)
		s.get(path, "If-Modified-Since", "Mon, 23 Nov 2026 00:00:00 GMT").expect(t, 200)
	}
}

func TestHeadAndRanges(t *testing.T) {
	s := start(t, succeed)
	for _, path := range []string{"/", static.Path("icons/icon-512.png"), "/robots.txt", "/healthz"} {
		whole := s.get(path, "Accept-Encoding", "br")
		head := s.do(http.MethodHead, path, nil, "Accept-Encoding", "br")
		if head.status != 200 || head.body != "" {
			t.Errorf("HEAD %s: %d %q", path, head.status, head.body)
		}
		for field := range whole.header {
			if field != "Date" && field != "X-Request-Id" && whole.header.Get(field) != head.header.Get(field) {
				t.Errorf("HEAD %s: %s: %q, want %q", path, field, head.header.Get(field), whole.header.Get(field))
			}
		}
	}
	path := static.Path("icons/icon-512.png")
	whole := s.get(path)
	part := s.get(path, "Range", "bytes=10-19", "If-Range", whole.header.Get("Etag"))
	if part.status != 206 || part.body != whole.body[10:20] || part.header.Get("Content-Range") == "" {
		t.Errorf("range: %d %v", part.status, part.header)
	}
	checkClass(t, "a range", part, httpcache.Immutable)
	if r := s.get(path, "Range", "bytes=10-19", "If-Range", `"old"`); r.status != 200 || r.body != whole.body {
		t.Errorf("a range of an old file: %d", r.status)
	}
	encoded := s.get("/", "Accept-Encoding", "br", "Range", "bytes=0-9")
	if encoded.status != 206 || encoded.header.Get("Content-Encoding") != "br" || encoded.body != s.get("/", "Accept-Encoding", "br").body[:10] {
		t.Errorf("a range of an encoded page: %d %v", encoded.status, encoded.header)
	}
}

func TestPreload(t *testing.T) {
	s := start(t, succeed)
	r := s.get("/")
	link := r.header.Get("Link")
	if !strings.Contains(link, "<"+static.Path("css/tokens.css")+">; rel=preload; as=style") {
		t.Errorf("Link: %q", link)
	}
	r.find(t, `link[rel=stylesheet]`).Each(func(_ int, sheet *goquerySelection) {
		href, _ := sheet.Attr("href")
		if !strings.Contains(link, "<"+href+">") {
			t.Errorf("%s is not preloaded", href)
		}
		s.get(href).expect(t, 200)
	})
}
