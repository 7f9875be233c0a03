package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"go.uber.org/goleak"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/device"
	"bgremover.pro/core/httpcache"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/ops/testing/logbuffer"
	"bgremover.pro/templates"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// removerFunc stands for the pipeline.
type removerFunc func(context.Context, cutout.Job) (*cutout.Result, error)

func (f removerFunc) Remove(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
	return f(ctx, job)
}

// picture is what the stand-in for the pipeline answers; no text of ours holds it.
var picture = []byte("\x89PNG the very bytes of a finished picture")

func succeed(_ context.Context, job cutout.Job) (*cutout.Result, error) {
	return &cutout.Result{
		File: picture, MediaType: job.Options.Format.MediaType(), Width: 400, Height: 300, Subject: cutout.SubjectFound,
		Run:     cutout.Run{Backend: "onnx-cpu", Model: "isnet", Mode: job.Options.Mode, Sizes: []int{512, 1024}, Inference: 90 * time.Millisecond},
		Timings: []cutout.Timing{{Stage: cutout.Decode, Duration: 1500 * time.Microsecond}, {Stage: cutout.Infer, Duration: 100 * time.Millisecond}},
	}, nil
}

// site is a server on a real listener.
type site struct {
	t        *testing.T
	server   *Server
	url      string
	client   *http.Client
	settings atomic.Pointer[Settings]
	now      atomic.Int64 // nanoseconds added to the clock
	log      logbuffer.Buffer

	records chan accesslog.Request
}

func defaultSettings() *Settings {
	return &Settings{
		SiteName: "BGRemover", ContactEmail: "owner@example.org", Limits: templates.Limits{MaxUpload: 1 << 20, MaxPixels: 50_000_000, MaxPhotos: 10},
		Privacy: templates.Privacy{Device: templates.Rate{Count: 1000, Period: time.Hour}, LogDays: 30}, Cache: httpcache.DefaultLifetimes,
	}
}

// start serves until the test ends. change may alter the options.
func start(t *testing.T, remove removerFunc, change ...func(*Options)) *site {
	t.Helper()
	s := &site{t: t, records: make(chan accesslog.Request, 10000)}
	s.settings.Store(defaultSettings())
	clock := func() time.Time { return time.Now().Add(time.Duration(s.now.Load())) }
	log := slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	limiter, err := ratelimit.New(ratelimit.Options{
		Rules: ratelimit.Rules{Device: ratelimit.Rate{Count: 1000, Period: time.Hour}, Network: ratelimit.Rate{Count: 10000, Period: time.Hour}},
		Now:   clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	options := Options{
		Remover: remove, Limiter: limiter, Log: log, Version: "test",
		Devices:  device.New(device.Options{Now: clock, Log: log}),
		Settings: s.settings.Load,
		Observe:  func(x accesslog.Request) { s.records <- x },
	}
	for _, f := range change {
		f(&options)
	}
	if s.server, err = New(options); err != nil {
		t.Fatal(err)
	}
	s.listen()
	return s
}

func (s *site) listen() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.server.Serve(listener) }()
	transport := &http.Transport{DisableCompression: true}
	s.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.url = "http://" + listener.Addr().String()
	s.t.Cleanup(func() {
		transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.server.Shutdown(ctx); err != nil {
			s.t.Errorf("requests outlive the test: %v", err)
			s.server.Close()
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			s.t.Error(err)
		}
	})
}

// limited replaces the limits.
func limited(rules ratelimit.Rules) func(*Options) {
	return func(o *Options) { o.Limiter.(*ratelimit.Limiter).SetRules(rules) }
}

// trusting replaces the trusted proxies.
func trusting(prefixes ...string) func(*Options) {
	return func(o *Options) {
		var list []netip.Prefix
		for _, p := range prefixes {
			list = append(list, netip.MustParsePrefix(p))
		}
		o.Devices = device.New(device.Options{TrustedProxies: list, Log: o.Log})
	}
}

type goquerySelection = goquery.Selection

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request with header pairs.
func (s *site) do(method, path string, body io.Reader, header ...string) reply {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Add(header[i], header[i+1])
	}
	return s.send(r)
}

func (s *site) send(r *http.Request) reply {
	s.t.Helper()
	answer, err := s.client.Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatalf("%s %s: reading the answer: %v", r.Method, r.URL, err)
	}
	return reply{answer.StatusCode, answer.Header, string(text)}
}

func (s *site) get(path string, header ...string) reply {
	s.t.Helper()
	return s.do(http.MethodGet, path, nil, header...)
}

// post sends a form to the device's form or the API.
func (s *site) post(path string, f *testForm, header ...string) reply {
	s.t.Helper()
	return s.do(http.MethodPost, path, f.body(), append([]string{"Content-Type", f.contentType()}, header...)...)
}

// testForm is multipart/form-data in the order in which it is built.
type testForm struct {
	buffer bytes.Buffer
	writer *multipart.Writer
}

func newForm() *testForm {
	f := &testForm{}
	f.writer = multipart.NewWriter(&f.buffer)
	return f
}

func (f *testForm) field(name, value string) *testForm {
	_ = f.writer.WriteField(name, value)
	return f
}

func (f *testForm) file(name, content string) *testForm { return f.fileIn("image", name, content) }

func (f *testForm) fileIn(field, name, content string) *testForm {
	w, _ := f.writer.CreateFormFile(field, name)
	_, _ = io.WriteString(w, content)
	return f
}

func (f *testForm) contentType() string { return f.writer.FormDataContentType() }

func (f *testForm) body() io.Reader {
	_ = f.writer.Close()
	return bytes.NewReader(f.buffer.Bytes())
}

// seen returns the next n records, in the order in which they ended.
func (s *site) seen(n int) []accesslog.Request {
	s.t.Helper()
	var all []accesslog.Request
	for range n {
		select {
		case x := <-s.records:
			all = append(all, x)
		case <-s.t.Context().Done():
			s.t.Fatal("the test ended")
		case <-time.After(30 * time.Second):
			s.t.Fatalf("%d of %d records were observed", len(all), n)
		}
	}
	return all
}

func (r reply) expect(t *testing.T, status int, parts ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d: %.300s", r.status, status, r.body)
	}
	for _, part := range parts {
		if !strings.Contains(r.body, part) {
			t.Errorf("the answer lacks %q: %.600s", part, r.body)
		}
	}
}

func sha256Of(s string) [32]byte { return sha256.Sum256([]byte(s)) }
