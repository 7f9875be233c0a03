package browsertest

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/draw"
	_ "image/jpeg" // the photos that tests send
	"image/png"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/device"
	"bgremover.pro/core/httpcache"
	"bgremover.pro/core/ratelimit"
	"bgremover.pro/core/web"
	"bgremover.pro/templates"
)

// line stands for the pipeline: it cuts a circle out. A test may stop it or
// make it fail.
type line struct {
	mu      sync.Mutex
	gate    chan struct{}               // where set, each job waits for one value
	fail    func(image.Config) error    // where it answers an error, the job fails
	observe func(job cutout.Job)        // where set, told of each job that starts
	edit    func(result *cutout.Result) // where set, may change a result
	answer  *cutout.Result              // where set, the result of every job
}

func (l *line) set(change func(*line)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

// answers makes a PNG the result of every job.
func (l *line) answers(width, height int, file []byte) {
	l.set(func(l *line) {
		l.answer = &cutout.Result{File: file, MediaType: "image/png", Width: width, Height: height, Subject: cutout.SubjectFound}
	})
}

func (l *line) Remove(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
	l.mu.Lock()
	gate, fail, observe, edit, answer := l.gate, l.fail, l.observe, l.edit, l.answer
	l.mu.Unlock()
	if observe != nil {
		observe(job)
	}
	if gate != nil {
		job.Observe(cutout.Progress{Stage: cutout.Waiting, Ahead: 2})
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if answer != nil {
		result := *answer
		return &result, nil
	}
	header, _, err := image.DecodeConfig(bytes.NewReader(job.Upload))
	if err != nil {
		return nil, cutout.Errorf(cutout.UnsupportedFormat, "This is not a photo of a kind that can be read here.")
	}
	if fail != nil {
		if err := fail(header); err != nil {
			return nil, err
		}
	}
	result, err := circle(job)
	if err == nil && edit != nil {
		edit(result)
	}
	return result, err
}

// circle keeps the middle of a photo. The race detector makes every access to memory
// slow, so it does no more of them than it must, and does not compress.
func circle(job cutout.Job) (*cutout.Result, error) {
	photo, _, err := image.Decode(bytes.NewReader(job.Upload))
	if err != nil {
		return nil, err
	}
	b := photo.Bounds()
	whole := image.NewRGBA(b)
	draw.Draw(whole, b, photo, b.Min, draw.Src)
	cut := &image.NRGBA{Pix: whole.Pix, Stride: whole.Stride, Rect: b} // the same pixels, where all are opaque
	radius := min(b.Dx(), b.Dy()) * 2 / 5
	for y := range b.Dy() {
		row, left := cut.Pix[y*cut.Stride:][:4*b.Dx()], 0
		for dy := y - b.Dy()/2; left < b.Dx()/2 && (b.Dx()/2-left)*(b.Dx()/2-left)+dy*dy >= radius*radius; {
			left++
		}
		clear(row[:4*left])
		clear(row[4*(b.Dx()-left):])
	}
	var file bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.NoCompression}
	if err := encoder.Encode(&file, cut); err != nil {
		return nil, err
	}
	return &cutout.Result{
		File: file.Bytes(), MediaType: "image/png", Width: b.Dx(), Height: b.Dy(), Subject: cutout.SubjectFound,
		Run:     cutout.Run{Backend: "test", Model: "isnet", Mode: job.Options.Mode},
		Timings: []cutout.Timing{{Stage: cutout.Infer, Duration: time.Second}},
	}, nil
}

// site is the real listener before the stand-in.
type site struct {
	line     *line
	url      string
	port     string
	settings atomic.Pointer[web.Settings]

	mu      sync.Mutex
	records []accesslog.Request
	stop    func()
}

// startSite lets the test run beside others: each has a server and a browser of its
// own.
func startSite(t testing.TB, change ...func(*web.Options)) *site {
	t.Helper()
	if test, ok := t.(*testing.T); ok {
		test.Parallel()
	}
	s := &site{line: &line{}}
	s.settings.Store(&web.Settings{
		SiteName: "BGRemover", ContactEmail: "owner@example.org", Limits: templates.Limits{MaxUpload: 2 << 20, MaxPixels: 50_000_000, MaxPhotos: 10},
		Privacy: templates.Privacy{
			Device: templates.Rate{Count: 500, Period: time.Hour}, Network: templates.Rate{Count: 5000, Period: time.Hour}, LogDays: 30,
		}, Cache: httpcache.DefaultLifetimes,
	})
	limiter, err := ratelimit.New(ratelimit.Options{Rules: ratelimit.Rules{
		Device: ratelimit.Rate{Count: 500, Period: time.Hour}, Network: ratelimit.Rate{Count: 5000, Period: time.Hour},
	}})
	if err != nil {
		t.Fatal(err)
	}
	options := web.Options{
		Remover: s.line, Limiter: limiter, Devices: device.New(device.Options{}), Version: "test",
		Settings: s.settings.Load,
		Observe: func(x accesslog.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.records = append(s.records, x)
		},
	}
	for _, f := range change {
		f(&options)
	}
	server, err := web.New(options)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, s.port, _ = net.SplitHostPort(listener.Addr().String())
	s.url = "http://127.0.0.1:" + s.port
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	s.stop = sync.OnceFunc(func() {
		server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// limited gives the server these limits.
func limited(count int64) func(*web.Options) {
	return func(o *web.Options) {
		o.Limiter.(*ratelimit.Limiter).SetRules(ratelimit.Rules{Device: ratelimit.Rate{Count: count, Period: time.Hour}})
	}
}

// requests lists the records so far.
func (s *site) requests() []accesslog.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]accesslog.Request(nil), s.records...)
}
