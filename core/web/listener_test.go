package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
)

// from dials the site from an address of this machine.
func (s *site) from(address string) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 30 * time.Second}
	conn, err := dialer.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err == nil {
		s.t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	}
	return conn, err
}

// With every connection taken by somebody who sends nothing, or nothing more,
// the next visitor is answered, and one of those is closed.
func TestIdleConnectionsMakeWay(t *testing.T) {
	const all = 32
	for name, request := range map[string]string{"nothing sent": "", "kept alive": "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"} {
		s := start(t, succeed, func(o *Options) { o.MaxConnections = all })
		var held []net.Conn
		for i := range all {
			conn, err := s.from(fmt.Sprintf("127.0.%d.1", i))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(conn, request)
			if request != "" {
				answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
			held = append(held, conn)
		}
		visitor, err := s.from("127.1.0.1")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(visitor, "GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		s.answerOn(visitor).expect(t, 200)
		// Which became idle first, only the server knows.
		closed := make(chan error, len(held))
		for _, conn := range held {
			go func() {
				_, err := conn.Read(make([]byte, 1))
				closed <- err
			}()
		}
		if err := <-closed; err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: no idle connection was closed: %v", name, err)
		}
		for _, conn := range held {
			conn.Close()
		}
	}
}

// Where each connection carries a request, the next visitor waits for the first
// to end, and is not sent away.
func TestConnectionsAtWorkAreWaitedFor(t *testing.T) {
	running, done := make(chan struct{}), make(chan struct{})
	s := start(t, func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
		running <- struct{}{}
		<-done
		return succeed(ctx, job)
	}, func(o *Options) { o.MaxConnections = 2 })
	first, second := s.dial(fmt.Sprintf(rawHead, 5, "Connection: close\r\n")+"photo"), s.dial(fmt.Sprintf(rawHead, 5, "Connection: close\r\n")+"photo")
	<-running
	<-running
	third, err := s.from("127.1.0.1") // the other two have all that their address may hold
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(third, "GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	close(done)
	for _, conn := range []net.Conn{first, second, third} {
		s.answerOn(conn).expect(t, 200)
	}
	if x := s.seen(3)[0]; x.Route == "/readyz" {
		t.Error("a third connection was served beside two that carry requests")
	}
}

// Behind a proxy all connections are the proxy's; a client is counted by its
// requests there.
func TestOneClientBehindAProxyHasAShare(t *testing.T) {
	const share = 16
	running, done := make(chan struct{}), make(chan struct{})
	s := start(t, func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
		running <- struct{}{}
		<-done
		return succeed(ctx, job)
	}, trusting("127.0.0.0/8"), func(o *Options) { o.MaxConnections = 64 })
	var conns []net.Conn
	for range share {
		conns = append(conns, s.dial(fmt.Sprintf(rawHead, 5, "X-Forwarded-For: 203.0.113.1\r\n")+"photo"))
		<-running
	}
	r := s.get("/", "X-Forwarded-For", "203.0.113.1")
	r.expect(t, 503, "too many requests in progress")
	if r.header.Get("Retry-After") == "" {
		t.Error(r.header)
	}
	s.get("/", "X-Forwarded-For", "203.0.113.2").expect(t, 200)
	s.get("/readyz").expect(t, 200) // the proxy itself asks
	close(done)
	for _, conn := range conns {
		s.answerOn(conn).expect(t, 200)
	}
	s.get("/", "X-Forwarded-For", "203.0.113.1").expect(t, 200)
}
