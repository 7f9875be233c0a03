package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/upload"
)

// dial opens a connection of our own making and sends text.
func (s *site) dial(text string) net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(60 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		s.t.Fatal(err)
	}
	return conn
}

func (s *site) answerOn(conn net.Conn) reply {
	s.t.Helper()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	conn.Close()
	return reply{answer.StatusCode, answer.Header, string(text)}
}

const rawHead = "POST /api/v1/cutouts HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n%s\r\n"

// brisk is a pace under which a test need not wait long for the slow.
func brisk(o *Options) {
	o.Pace = upload.Pace{Window: 700 * time.Millisecond, Bytes: 1 << 10, Rate: 16 << 10, Upload: time.Hour, Answer: time.Hour}
}

func TestSlowClientsAreCut(t *testing.T) {
	s := start(t, succeed, brisk)
	for name, sent := range map[string]string{"one byte": "x", "nothing": ""} {
		r := s.answerOn(s.dial(fmt.Sprintf(rawHead, 1000, "") + sent))
		if p := r.problem(t); r.status != 408 || p.Code != upload.Slow {
			t.Errorf("%s: %d %+v", name, r.status, p)
		}
	}
	s.do(http.MethodPost, api, strings.NewReader("photo")).expect(t, 200)
}

func TestHugeUploadsAreRefusedUnread(t *testing.T) {
	s := start(t, succeed)
	const ten = 10 << 30
	expecting := s.answerOn(s.dial(fmt.Sprintf(rawHead, ten, "Expect: 100-continue\r\n")))
	if p := expecting.problem(t); expecting.status != 413 || p.Code != cutout.TooLarge {
		t.Errorf("with Expect: %d %+v", expecting.status, p)
	}
	pushing := s.answerOn(s.dial(fmt.Sprintf(rawHead, ten, "") + strings.Repeat("x", 1<<20)))
	if p := pushing.problem(t); pushing.status != 413 || !strings.Contains(p.Detail, "1 MB") {
		t.Errorf("pushing: %d %+v", pushing.status, p)
	}
	page := s.answerOn(s.dial(fmt.Sprintf("POST /device/cutouts HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n", ten)))
	page.expect(t, 413, "1 MB", "<!doctype html>")
}

// A browser reads no answer before it has sent everything: the server must
// take what it sends for a while, and end the connection in good order.
func TestRefusalsReachClientsThatSendFirst(t *testing.T) {
	s := start(t, succeed)
	const size = 8 << 20
	conn := s.dial(fmt.Sprintf(rawHead, size, ""))
	for range size >> 20 {
		if _, err := conn.Write(make([]byte, 1<<20)); err != nil {
			t.Fatalf("the connection broke while the client was sending: %v", err)
		}
	}
	if r := s.answerOn(conn); r.status != 413 {
		t.Errorf("status %d", r.status)
	}
}

func TestClientsThatLeaveEndTheWork(t *testing.T) {
	const memory = 256 << 10 // what an upload starts with
	running, ended := make(chan struct{}), make(chan error, 1)
	s := start(t, func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
		if string(job.Upload) != "photo" {
			return succeed(ctx, job)
		}
		close(running)
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}, func(o *Options) { o.UploadMemory = memory })
	conn := s.dial(fmt.Sprintf(rawHead, 5, "") + "photo")
	<-running
	s.do(http.MethodPost, api, strings.NewReader("x")).expect(t, 503) // its memory is in use
	conn.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the work ended with %v", err)
	}
	for _, x := range s.seen(2) {
		if x.Status == 499 && x.Code == cutout.Canceled {
			s.do(http.MethodPost, api, strings.NewReader("x")).expect(t, 200) // and has been given back
			return
		}
	}
	t.Error("no record with status 499")
}

// The same, for a form: what follows the last boundary must not hide it.
func TestLeavingIsSeenBehindAForm(t *testing.T) {
	running, ended := make(chan struct{}), make(chan error, 1)
	s := start(t, func(ctx context.Context, _ cutout.Job) (*cutout.Result, error) {
		close(running)
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	})
	form := "--x\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\nphoto\r\n--x--\r\n epilogue"
	conn := s.dial(fmt.Sprintf("POST /device/cutouts HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n%s", len(form), form))
	<-running
	conn.Close()
	<-ended
}

func TestUploadsThatBreakOff(t *testing.T) {
	s := start(t, succeed)
	conn := s.dial(fmt.Sprintf(rawHead, 1000, "") + "half")
	conn.Close()
	if x := s.seen(1)[0]; x.Status != 499 || x.Received != 4 {
		t.Errorf("got %d after %d bytes", x.Status, x.Received)
	}
}

func TestWorkEndsAtItsDeadline(t *testing.T) {
	s := start(t, func(ctx context.Context, _ cutout.Job) (*cutout.Result, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}, func(o *Options) { o.JobTimeout = time.Millisecond })
	r := s.do(http.MethodPost, api, strings.NewReader("photo"))
	if p := r.problem(t); r.status != 504 || p.Code != cutout.Timeout {
		t.Errorf("%d %+v", r.status, p)
	}
}

func TestMemoryForUploadsIsBounded(t *testing.T) {
	s := start(t, succeed, func(o *Options) { o.UploadMemory = 600 << 10 })
	r := s.do(http.MethodPost, api, strings.NewReader(strings.Repeat("x", 1<<20)))
	if p := r.problem(t); r.status != 503 || p.Code != cutout.Busy || r.header.Get("Retry-After") == "" {
		t.Errorf("%d %+v", r.status, p)
	}
	for range 5 {
		s.seen(1) // what it held is given back once the exchange is over
		s.do(http.MethodPost, api, strings.NewReader(strings.Repeat("x", 200<<10))).expect(t, 200)
	}
}

func TestTwoMillionFields(t *testing.T) {
	s := start(t, succeed)
	in, out := io.Pipe()
	go func() {
		for range 2_000_000 {
			if _, err := io.WriteString(out, "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"); err != nil {
				return
			}
		}
		out.Close()
	}()
	r := s.do(http.MethodPost, "/device/cutouts", in, "Content-Type", "multipart/form-data; boundary=x")
	in.Close()
	r.expect(t, 400, "too many fields")
}

func TestBombsOfHeaders(t *testing.T) {
	s := start(t, succeed)
	for _, bomb := range []string{"Cookie: " + strings.Repeat("c=d; ", 8<<10) + "\r\n", strings.Repeat("X-A: b\r\n", 8<<10)} {
		conn := s.dial("GET /device/data HTTP/1.1\r\nHost: test\r\n" + bomb + "\r\n")
		status, err := bufio.NewReader(conn).ReadString('\n')
		if err == nil && !strings.Contains(status, " 431 ") {
			t.Errorf("answered %q", status)
		}
	}
	s.get("/").expect(t, 200)
}

func TestPanicsAreAnswered(t *testing.T) {
	s := start(t, func(_ context.Context, job cutout.Job) (*cutout.Result, error) {
		if string(job.Upload) == "abort" {
			panic(http.ErrAbortHandler)
		}
		panic("a bug")
	})
	r := s.do(http.MethodPost, api, strings.NewReader("secret pixels"), "Cookie", "session=secret", "Authorization", "Basic c2VjcmV0")
	if p := r.problem(t); r.status != 500 || p.Code != cutout.Internal || strings.Contains(r.body, "a bug") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if log := s.log.String(); !strings.Contains(log, "a bug") || strings.Contains(log, "secret") || strings.Contains(log, "c2VjcmV0") {
		t.Errorf("log: %s", log)
	}
	if answer, err := s.client.Post(s.url+api, "", strings.NewReader("abort")); err == nil {
		answer.Body.Close()
		t.Error("an aborted answer looks whole")
	}
}
