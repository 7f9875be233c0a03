package load_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// attacks is how the memory of a whole server is tried: so many megapixels a
// photo, under a budget. The short one is part of `make test`; the long one,
// ATTACK=long, takes the default budget and the largest photos.
type attacks struct {
	width, height int
	settings      string
	budget        int64 // bytes; what is held above it may come to slack
	long          bool
}

// slack is what the server's process may hold beside its budget, in bytes.
const slack = 300_000_000

func chosenAttacks() attacks {
	a := attacks{3000, 2000, "memory = \"256MiB\"\nmax_upload = \"12MiB\"\n", 256 << 20, false}
	if os.Getenv("ATTACK") == "long" {
		a = attacks{8160, 6120, "", 1600 << 20, true}
	}
	a.settings += "limits_device = \"off\"\nlimits_network = \"off\"\ntrusted_proxies = \"127.0.0.1\"\n"
	return a
}

// TestPhotosStayWithinTheBudget has eight visitors at a time send large photos,
// in each format and with all that can be asked for.
func TestPhotosStayWithinTheBudget(t *testing.T) {
	a := chosenAttacks()
	s := start(t, a.settings, "backend is ready")
	s.watch(t, a.budget)
	behind := noiseJPEG(t, a.width, a.height)
	for name, write := range largeFiles {
		if !a.long && name != "png16" && name != "noise" {
			continue
		}
		t.Run(name, func(t *testing.T) { s.crowd(t, write(t, a.width, a.height), behind) })
	}
	s.comesToRest(t)
}

// crowd has eight visitors send a file, each with other wishes.
func (s *server) crowd(t *testing.T, file, behind []byte) {
	began := time.Now()
	var statuses sync.Map
	var visitors sync.WaitGroup
	for i, query := range []string{
		"", "depth=16", "depth=16&crop=5", "background=blur&crop=0", "shadow=40&aspect=1:1&margin=10", "format=webp", "format=jpeg", "behind",
	} {
		visitors.Go(func() {
			body, kind := file, "application/octet-stream"
			if query == "behind" {
				body, kind = form(t, "background", behind, file)
			}
			r, err := s.sendAs(t.Context(), i, "/api/v1/cutouts?mode=fast&"+strings.TrimPrefix(query, "behind"), kind, body)
			if err != nil {
				t.Errorf("%s: %v", query, err)
				return
			}
			defer r.Body.Close()
			_, _ = io.Copy(io.Discard, r.Body)
			statuses.Store(query, r.StatusCode)
			answered(t, query, r)
		})
	}
	visitors.Wait()
	var all []string
	statuses.Range(func(query, status any) bool {
		all = append(all, fmt.Sprintf("%s: %d", query, status))
		return true
	})
	t.Logf("%s in %v, at most %d MB", strings.Join(all, ", "), time.Since(began).Round(time.Second/10), s.status(t, "VmHWM")/1e6)
}

// TestUnreadFormsStayWithinTheBudget has three visitors send forms of ten photos
// with a picture behind that nothing can compress, and not read the answers.
func TestUnreadFormsStayWithinTheBudget(t *testing.T) {
	a := chosenAttacks()
	s := start(t, a.settings, "backend is ready")
	s.watch(t, a.budget)
	photos := slices.Repeat([][]byte{flatPNG(t, a.width, a.height)}, 10)
	body, kind := form(t, "background", noiseJPEG(t, a.width, a.height), photos...)
	began := time.Now()
	var unread sync.WaitGroup
	for i := range 3 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.Base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		unread.Go(func() {
			fmt.Fprintf(conn, "POST /device/cutouts HTTP/1.1\r\nHost: load\r\nX-Forwarded-For: 203.0.113.%d\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", i, kind, len(body))
			if _, err := conn.Write(body); err != nil {
				t.Errorf("form %d: %v", i, err)
			}
		})
	}
	unread.Wait()
	// Another visitor is served meanwhile, or told when to come back.
	r, err := s.sendAs(t.Context(), 100, "/api/v1/cutouts?mode=fast", "image/png", photos[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	_, _ = io.Copy(io.Discard, r.Body)
	answered(t, "another visitor", r)
	t.Logf("another visitor: %d after %v", r.StatusCode, time.Since(began).Round(time.Second/10))
	s.comesToRest(t)
	t.Logf("at rest after %v, at most %d MB", time.Since(began).Round(time.Second), s.status(t, "VmHWM")/1e6)
}

// answered says whether a visitor can live with an answer.
func answered(t *testing.T, what string, r *http.Response) {
	switch r.StatusCode {
	case http.StatusOK, http.StatusRequestEntityTooLarge:
	case http.StatusServiceUnavailable:
		if r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: 503 without Retry-After", what)
		}
	default:
		t.Errorf("%s: %s", what, r.Status)
	}
}

// sendAs posts as one of many visitors behind a proxy.
func (s *server) sendAs(ctx context.Context, visitor int, path, kind string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", visitor/256, visitor%256))
	return http.DefaultClient.Do(r)
}

// watch ends the server before it endangers the machine, and the test where
// more was held than the budget and its slack.
func (s *server) watch(t *testing.T, budget int64) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				if held := s.Status(t, "VmRSS"); held > 3*budget+slack {
					t.Errorf("%d MB are held; the server is ended", held/1e6)
					_ = s.Process.Kill()
					return
				}
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
	})
	s.atMost = budget + slack
}

// comesToRest waits until memory is back with the system.
func (s *server) comesToRest(t *testing.T) {
	t.Helper()
	if peak := s.status(t, "VmHWM"); peak > s.atMost {
		t.Errorf("the server held %d MB, and may hold %d", peak/1e6, s.atMost/1e6)
	}
	s.idle(t)
	deadline := time.Now().Add(30 * time.Second)
	for s.Status(t, "VmRSS") > slack {
		if time.Now().After(deadline) {
			t.Fatalf("after 30 s at rest %d MB are held", s.Status(t, "VmRSS")/1e6)
		}
		<-time.After(100 * time.Millisecond)
	}
}

// idle waits until no photo is in progress and none waits.
func (s *server) idle(t *testing.T) {
	t.Helper()
	operator := client(t, "127.0.0.1")
	for {
		_, metrics, err := ask(t.Context(), operator, http.MethodGet, s.Operator+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(metrics, "bgremover_queue_working 0\n") && strings.Contains(metrics, "bgremover_queue_waiting 0\n") {
			return
		}
		<-time.After(200 * time.Millisecond)
	}
}

// form makes multipart/form-data of photos and a file in another field.
func form(t testing.TB, field string, other []byte, photos ...[]byte) (body []byte, kind string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	add := func(name string, file []byte) {
		part, err := w.CreateFormFile(name, "photo")
		if err == nil {
			_, err = part.Write(file)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range photos {
		add("image", p)
	}
	add(field, other)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), w.FormDataContentType()
}
