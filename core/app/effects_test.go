package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// plain is a PNG of the given size.
func plain(side int) []byte {
	var file bytes.Buffer
	_ = png.Encode(&file, image.NewGray(image.Rect(0, 0, side, side)))
	return file.Bytes()
}

var theIdentifier = regexp.MustCompile(`class="id">([^<]+)<`)

func identifier(page string) string {
	if m := theIdentifier.FindStringSubmatch(page); m != nil {
		return m[1]
	}
	return "none in " + page
}

// fixed reports whether a listener is where a setting says, not at any free port.
func fixed(key string, p *probe, a net.Addr) string {
	return fmt.Sprint(a.String() == p.settings[key])
}

func nothing(*testing.T, *probe) string { return "starts" }

func header(path, name string) func(*testing.T, *probe) string {
	return func(_ *testing.T, p *probe) string {
		if strings.HasPrefix(path, "/api/") {
			return p.photo("").Header().Get(name)
		}
		return p.ask(http.MethodGet, path, nil).Header().Get(name)
	}
}

func found(path, text string) func(*testing.T, *probe) string {
	return func(_ *testing.T, p *probe) string { return fmt.Sprint(strings.Contains(p.get(path), text)) }
}

func body(query string) func(*testing.T, *probe) string {
	return func(_ *testing.T, p *probe) string { return p.photo(query).Body.String() }
}

func answers(query string) func(*testing.T, *probe) string {
	return func(_ *testing.T, p *probe) string { return p.photo(query).Result().Status }
}

func twoPhotos(t *testing.T, p *probe) string {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for range 2 {
		part, err := w.CreateFormFile("image", "a.png")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write(plain(64))
	}
	_ = w.Close()
	answer := p.ask(http.MethodPost, "/device/cutouts", &form, "Content-Type", w.FormDataContentType())
	return fmt.Sprint(strings.Contains(answer.Body.String(), "Too many photos"))
}

// occupy keeps a job in progress until the test ends.
func occupy(t *testing.T, p *probe) {
	leave, err := p.engine.Queue.Enter(t.Context(), "", func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
}

// untilFull counts the jobs that the queue accepts.
func untilFull(t *testing.T, p *probe) string {
	ctx, cancel := context.WithCancel(t.Context())
	var jobs sync.WaitGroup
	defer jobs.Wait()
	defer cancel()
	n := 0
	for ; !p.engine.Queue.Full(); n++ {
		jobs.Go(func() {
			if leave, err := p.engine.Queue.Enter(ctx, "", func(int) {}); err == nil {
				<-ctx.Done()
				leave()
			}
		})
		for working, waiting := p.engine.Queue.Load(); working+waiting <= n; working, waiting = p.engine.Queue.Load() {
			runtime.Gosched()
		}
	}
	return fmt.Sprint(n)
}

func drainTakes(least time.Duration) func(*testing.T, *probe) string {
	return func(t *testing.T, p *probe) string {
		start := time.Now()
		p.drain(t.Context())
		return fmt.Sprint(time.Since(start) >= least)
	}
}

// listening serves on a real listener.
func (p *probe) listening(t *testing.T) string {
	ended := make(chan error, 1)
	go func() { ended <- p.web.Serve(p.public) }()
	t.Cleanup(func() { p.end(); <-ended })
	return p.Address().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// cutOff drains while a client sends, for three seconds.
func cutOff(t *testing.T, p *probe) string {
	conn := dial(t, p.listening(t))
	fmt.Fprint(conn, "POST /api/v1/cutouts HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n")
	if _, err := io.ReadFull(conn, make([]byte, len("HTTP/1.1 100"))); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(3*time.Second, func() { _ = conn.Close() })
	p.drain(t.Context())
	return fmt.Sprint(strings.Contains(p.said.String(), "drain_timeout is over"))
}

// secondConnection reports whether an idle connection makes way for another.
func secondConnection(t *testing.T, p *probe) string {
	address := p.listening(t)
	ask := func() net.Conn {
		conn := dial(t, address)
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	first := ask()
	ask()
	_ = first.SetDeadline(time.Now().Add(2 * time.Second))
	_, err := io.Copy(io.Discard, first)
	return fmt.Sprint(errors.Is(err, os.ErrDeadlineExceeded))
}

func encrypted(t *testing.T, p *probe) string { return encrypts(p.listening(t)) }

func operatorEncrypts(t *testing.T, p *probe) string {
	ended := make(chan error, 1)
	go func() { ended <- p.operator.Serve() }()
	t.Cleanup(func() { p.end(); <-ended })
	return encrypts(p.Operator().String())
}

// encrypts reports whether an address speaks TLS, and with any client.
func encrypts(address string) string {
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return "no TLS"
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: "+address+"\r\n\r\n")
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return "TLS, not with us"
	}
	return "TLS"
}

func operatorSays(path, authorization string) func(*testing.T, *probe) string {
	return func(t *testing.T, p *probe) string {
		ended := make(chan error, 1)
		go func() { ended <- p.operator.Serve() }()
		t.Cleanup(func() { p.end(); <-ended })
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Operator().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", authorization)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.Status
	}
}

func edges(_ *testing.T, p *probe) string { return fmt.Sprint(EdgeCaches(p.live.Current())) }
