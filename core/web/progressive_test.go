package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/upload"
)

// Each photo of a form is with the client, and its memory given back, before the
// next is begun, whatever the answer's shape.
func TestEachResultIsSentBeforeTheNextPhotoBegins(t *testing.T) {
	for name, c := range map[string]struct{ answer, htmx, mark string }{
		"page":      {"", "", dataURI("image/png")},
		"fragments": {"", "true", dataURI("image/png")},
		"archive":   {"file", "", string(picture)},
	} {
		seen := make(chan struct{}, 3)
		var held atomic.Int64
		begun := 0
		s := start(t, func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
			if begun++; begun > 1 {
				select {
				case <-seen:
				case <-time.After(30 * time.Second):
					return nil, errors.New("the result before this one did not come")
				}
			}
			if n := held.Add(1); n != 1 || !job.Hold {
				t.Errorf("%s: %d results are held, Hold is %v", name, n, job.Hold)
			}
			result, err := succeed(ctx, job)
			result.Release = func() { held.Add(-1) }
			return result, err
		})
		form := newForm().field("answer", c.answer).file("a", "photo").file("b", "photo").file("c", "photo")
		r, _ := http.NewRequest(http.MethodPost, s.url+formPath, form.body())
		r.Header.Set("Content-Type", form.contentType())
		r.Header.Set("HX-Request", c.htmx)
		answer, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		each := strings.Count(c.mark, "data:") + 1 // a page shows a picture and links to it
		if c.htmx != "" {
			each = 1
		}
		for told := 0; ; {
			n, err := io.CopyN(&text, answer.Body, 1)
			for n > 0 && told < strings.Count(text.String(), c.mark)/each {
				told++
				seen <- struct{}{}
			}
			if err != nil {
				break
			}
		}
		answer.Body.Close()
		if got := strings.Count(text.String(), c.mark); answer.StatusCode != http.StatusOK || got != 3*each {
			t.Errorf("%s: %s, %d pictures", name, answer.Status, got)
		}
		if s.seen(1); held.Load() != 0 {
			t.Errorf("%s: %d results are held after the answer", name, held.Load())
		}
	}
}

// A form has the status of its first error until one photo has worked out.
func TestStatusOfAForm(t *testing.T) {
	s := start(t, fussy)
	for name, c := range map[string]struct {
		photos []string
		header []string
		answer string
		status int
		want   []string
	}{
		"page, all bad":       {[]string{"bad", ""}, nil, "", 415, []string{"<!doctype html>", "not a picture", "empty"}},
		"fragments, all bad":  {[]string{"", "bad"}, []string{"HX-Request", "true"}, "", 400, []string{`data-code="invalid"`, `data-code="unsupported_format"`}},
		"archive, all bad":    {[]string{"bad", "bad"}, nil, "file", 415, []string{"<!doctype html>"}},
		"page, the last good": {[]string{"bad", "bad", "good"}, nil, "", 200, []string{"not a picture", dataURI("image/png")}},
	} {
		form := newForm().field("answer", c.answer)
		for _, p := range c.photos {
			form.file("a", p)
		}
		r := s.post(formPath, form, c.header...)
		r.expect(t, c.status, c.want...)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// An answer that nobody reads is given up, and its memory with it.
func TestUnreadAnswersAreGivenUp(t *testing.T) {
	for name, path := range map[string]string{"api": api, "form": formPath} {
		var held atomic.Int64
		s := start(t, func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
			result, err := succeed(ctx, job)
			result.File = make([]byte, 64<<20) // more than the system's buffers hold
			held.Add(1)
			result.Release = func() { held.Add(-1) }
			return result, err
		}, brisk)
		form := newForm().file("image", "photo").file("image", "photo")
		kind, body := form.contentType(), form.body()
		if path == api {
			kind, body = "image/png", strings.NewReader("photo")
		}
		text, _ := io.ReadAll(body)
		s.dial(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", path, kind, len(text), text))
		if x := s.seen(1)[0]; x.Sent >= 64<<20 || held.Load() != 0 {
			t.Errorf("%s: %d bytes were sent, %d results are held", name, x.Sent, held.Load())
		}
	}
}

// slowly takes a while for each write.
type slowly struct {
	http.ResponseWriter
	set     []time.Time
	written int
}

func (s *slowly) SetWriteDeadline(t time.Time) error { s.set = append(s.set, t); return nil }
func (s *slowly) Write(p []byte) (int, error)        { s.written += len(p); return len(p), nil }
func (s *slowly) FlushError() error                  { return nil }

// Only the wait for the client counts; it has an end whatever has been taken,
// and a nearer one where others wait for memory.
func TestPatienceHasAnEnd(t *testing.T) {
	tight := false
	conn := &slowly{ResponseWriter: httptest.NewRecorder()}
	w := &pacedWriter{
		to: conn, conn: http.NewResponseController(conn), tight: func() bool { return tight },
		pace: upload.Pace{Window: time.Second, Rate: 1 << 10, Answer: 5 * time.Minute},
	}
	piece := make([]byte, 3*writePiece)
	if n, err := w.Write(piece); n != len(piece) || err != nil || len(conn.set) != 3 {
		t.Fatalf("%d bytes in %d pieces: %v", n, len(conn.set), err)
	}
	if err := w.flush(); err != nil || !conn.set[len(conn.set)-1].IsZero() {
		t.Errorf("after a flush a deadline is left: %v", err)
	}
	w.spent = 2 * time.Minute // within a minute and what 192 KiB may take at 1 KiB/s
	if _, err := w.Write(piece); err != nil {
		t.Error(err)
	}
	tight = true
	if _, err := w.Write(piece); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a slow client keeps others waiting for memory: %v", err)
	}
	tight = false
	w.sent, w.spent = 1<<40, 5*time.Minute
	if _, err := w.Write(piece); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("bytes stretch the end of an answer: %v", err)
	}
}

// One visitor's uploads hold a quarter of the memory for uploads; the others'
// are taken meanwhile.
func TestOneVisitorHasAShareOfTheUploadMemory(t *testing.T) {
	running, done := make(chan string), make(chan struct{})
	s := start(t, func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
		running <- job.Owner
		<-done
		return succeed(ctx, job)
	}, trusting("127.0.0.0/8"), func(o *Options) { o.UploadMemory = 8 << 20 })
	const half = 700 << 10 // in a buffer of 1 MiB
	from := func(address string) string {
		conn := s.dial(fmt.Sprintf(rawHead, half, "X-Forwarded-For: "+address+"\r\n") + strings.Repeat("x", half))
		t.Cleanup(func() { conn.Close() })
		return <-running
	}
	owners := map[string]string{
		"203.0.113.1": from("203.0.113.1"), "again": from("203.0.113.1"),
		"2001:db8::1": from("2001:db8::1"), "2001:db8:0:1::1": from("2001:db8:0:1::1"),
	}
	if owners["203.0.113.1"] != owners["again"] || owners["2001:db8::1"] != owners["2001:db8:0:1::1"] || owners["again"] == owners["2001:db8::1"] {
		t.Errorf("owners: %v", owners)
	}
	r := s.do(http.MethodPost, api, strings.NewReader(strings.Repeat("x", 1<<20)), "X-Forwarded-For", "203.0.113.1")
	if p := r.problem(t); r.status != 503 || !strings.Contains(p.Detail, "one visitor") || r.header.Get("Retry-After") == "" {
		t.Errorf("%d %+v", r.status, p)
	}
	answered := make(chan reply, 1)
	go func() {
		answered <- s.do(http.MethodPost, api, strings.NewReader(strings.Repeat("x", 1<<20)), "X-Forwarded-For", "203.0.113.9")
	}()
	<-running
	close(done)
	r = <-answered
	r.expect(t, 200)
}
