package load_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"bgremover.pro/ops/testing/servertest"
)

// server is the real binary.
type server struct {
	*servertest.Server
	atMost int64 // bytes that it may hold, where that is watched
}

// start runs the server with a settings file and returns once it logs a text.
func start(t testing.TB, settings, until string, environ ...string) *server {
	t.Helper()
	s := &server{Server: servertest.Start(t, settings, environ...)}
	if until != "" {
		s.Await(t, until)
	}
	return s
}

// client speaks from an address of its own.
func client(t testing.TB, from string) *http.Client {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// ask returns the status and the body of an answer.
func ask(ctx context.Context, c *http.Client, method, url string, body io.Reader) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "application/octet-stream")
	answer, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(got), err
}

func (s *server) post(ctx context.Context, c *http.Client, body []byte) (int, error) {
	status, _, err := ask(ctx, c, http.MethodPost, s.Base+"/api/v1/cutouts?mode=fast", bytes.NewReader(body))
	return status, err
}

func (s *server) cutout(t testing.TB, c *http.Client, photo []byte) time.Duration {
	t.Helper()
	began := time.Now()
	status, err := s.post(t.Context(), c, photo)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d: %v", status, err)
	}
	return time.Since(began)
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// photoFile is one that core/app's tests have too.
const photoFile = "../../core/app/testdata/photos/astronaut.jpg"
