package model

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
)

// publisher serves one file over TLS, with ranges, and can be made to
// misbehave.
type publisher struct {
	content []byte
	tag     string
	// cut ends this many answers after half of their bytes.
	cut int
	// status, where set, is all that is answered.
	status int

	mu     sync.Mutex
	ranges []string // the Range of each request
	sent   int
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.ranges = append(p.ranges, r.Header.Get("Range"))
	cut := p.cut > 0
	if cut {
		p.cut--
	}
	p.mu.Unlock()
	if p.status != 0 {
		w.WriteHeader(p.status)
		return
	}
	if p.tag != "" {
		w.Header().Set("ETag", p.tag)
	}
	out := &counted{ResponseWriter: w, p: p, left: -1}
	if cut {
		out.left = len(p.content) / 3
	}
	http.ServeContent(out, r, "", time.Time{}, bytes.NewReader(p.content))
}

// counted counts what is sent, and breaks the connection after left bytes.
type counted struct {
	http.ResponseWriter
	p    *publisher
	left int
}

func (c *counted) Write(b []byte) (int, error) {
	if c.left >= 0 && len(b) > c.left {
		_, _ = c.ResponseWriter.Write(b[:c.left])
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	if c.left >= 0 {
		c.left -= len(b)
	}
	c.p.mu.Lock()
	c.p.sent += len(b)
	c.p.mu.Unlock()
	return c.ResponseWriter.Write(b)
}

func publish(t *testing.T, p *publisher) *Store {
	t.Helper()
	server := httptest.NewTLSServer(p)
	t.Cleanup(server.Close)
	e, err := Open("").Entry("u2netp")
	if err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum(p.content)
	e.URL, e.MD5 = server.URL+"/u2netp.onnx", hex.EncodeToString(sum[:])
	s := Open(t.TempDir())
	s.Client, s.pause = server.Client(), 1
	s.Catalogue = Catalogue{Models: []Entry{e}}
	return s
}

func pullU2netp(ctx context.Context, s *Store, progress Progress) error {
	return s.Pull(ctx, Wanted{Models: []string{"u2netp"}}, progress)
}

func TestDownload(t *testing.T) {
	for name, p := range map[string]*publisher{
		"at once":           {tag: `"a"`},
		"cut twice":         {tag: `"a"`, cut: 2},
		"cut, no validator": {cut: 1},
		"cut, weak etag":    {tag: `W/"a"`, cut: 1},
	} {
		t.Run(name, func(t *testing.T) {
			p.content = random(3<<20, 3)
			s := publish(t, p)
			if err := pullU2netp(t.Context(), s, nil); err != nil {
				t.Fatal(err)
			}
			m, err := s.Original("u2netp")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(m.Variants[0].File); err != nil || !bytes.Equal(got, p.content) {
				t.Errorf("the file is not as published (%v)", err)
			}
			if m.Variants[0].SHA256 != hexSHA256(p.content) {
				t.Errorf("the sha256 of a file known by its md5 is %q", m.Variants[0].SHA256)
			}
			s.mustHold(t, "installed.json", "models/u2netp.onnx")
			if strings.HasPrefix(p.tag, `"`) && p.sent > len(p.content)*11/10 {
				t.Errorf("%d bytes were sent of a file of %d", p.sent, len(p.content))
			}
		})
	}
}

func TestDownloadGoesOnInTheNextRun(t *testing.T) {
	p := &publisher{content: random(8<<20, 4), tag: `"a"`}
	s := publish(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	err := pullU2netp(ctx, s, func(e Event) {
		if e.Done > 1<<20 {
			cancel()
		}
	})
	if cutout.CodeOf(err) != cutout.Canceled {
		t.Fatalf("stopping gave %v", err)
	}
	s.mustHold(t, "downloads/u2netp.onnx.part", "downloads/u2netp.onnx.part.json")
	if err := pullU2netp(t.Context(), s, nil); err != nil {
		t.Fatal(err)
	}
	if len(p.ranges) != 2 || p.ranges[0] != "" || !strings.HasPrefix(p.ranges[1], "bytes=") {
		t.Errorf("the requests were for %q", p.ranges)
	}
	s.mustHold(t, "installed.json", "models/u2netp.onnx")
}

func TestDownloadOfAFileThatChanged(t *testing.T) {
	p := &publisher{content: random(2<<20, 5), tag: `"new"`}
	s := publish(t, p)
	part := s.dir + "/downloads/u2netp.onnx" + partial
	for name, old := range map[string]int{"part of the old file": 1 << 20, "longer than the new file": 3 << 20} {
		t.Run(name, func(t *testing.T) {
			if err := writeFile(part, random(old, 6)); err != nil {
				t.Fatal(err)
			}
			if err := writeVersion(part, version{s.Catalogue.Models[0].URL, `"old"`}); err != nil {
				t.Fatal(err)
			}
			if err := pullU2netp(t.Context(), s, nil); err != nil {
				t.Fatal(err)
			}
			s.mustHold(t, "installed.json", "models/u2netp.onnx")
			if err := os.Remove(s.dir + "/models/u2netp.onnx"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestDownloadThatWasWhole(t *testing.T) {
	p := &publisher{content: random(1<<20, 7), tag: `"a"`}
	s := publish(t, p)
	part := s.dir + "/downloads/u2netp.onnx" + partial
	if err := writeFile(part, p.content); err != nil {
		t.Fatal(err)
	}
	if err := writeVersion(part, version{s.Catalogue.Models[0].URL, p.tag}); err != nil {
		t.Fatal(err)
	}
	if err := pullU2netp(t.Context(), s, nil); err != nil {
		t.Fatal(err)
	}
	if p.sent > 1000 {
		t.Errorf("%d bytes were sent again", p.sent)
	}
}

func TestDownloadFailures(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *publisher, s *Store)
		says   string
	}{
		"gone":           {func(p *publisher, _ *Store) { p.status = http.StatusNotFound }, "404 Not Found"},
		"broken for now": {func(p *publisher, _ *Store) { p.status = http.StatusBadGateway }, "502 Bad Gateway"},
		"not the file":   {func(p *publisher, _ *Store) { p.content[7]++ }, "its md5 is"},
		"nobody there": {func(_ *publisher, s *Store) {
			s.Catalogue.Models[0].URL = "https://127.0.0.1:1/u2netp.onnx"
		}, "The network cannot be reached"},
		"not whom it claims to be": {func(_ *publisher, s *Store) { s.Client = nil }, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &publisher{content: random(1<<20, 8), tag: `"a"`}
			s := publish(t, p)
			c.change(p, s)
			err := pullU2netp(t.Context(), s, nil)
			if err == nil || !strings.Contains(cutout.MessageOf(err), c.says) {
				t.Fatalf("it says %q, not %q", cutout.MessageOf(err), c.says)
			}
			s.mustHold(t)
		})
	}
}
