package drill_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/admin"
	"bgremover.pro/core/app"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/model"
	"bgremover.pro/ops/testing/logbuffer"
)

const token = "0123456789abcdef0123456789abcdef"

// build builds a backend once for all faults.
func build(t *testing.T, dir, name, pkg string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// server is one that is watched as an operator would: by its page and its metrics.
type server struct {
	t        *testing.T
	public   string // its address, without a scheme
	operator string
	data     string
	disk     string // that becomes full
	redis    string // its address
	log      *logbuffer.Buffer
}

// serve starts a server with a backend of its own and a data folder that links to the
// installed one. It need not become ready.
func serve(t *testing.T, backend string, args []string, more ...string) *server {
	t.Helper()
	data := dataFolder(t)
	file := filepath.Join(t.TempDir(), "bgremover.toml")
	text := "[backends.staged]\ncommand = \"" + backend + "\"\nargs = [\"" + strings.Join(args, `", "`) + "\"]\ndevice = \"cpu\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	plugins, err := filepath.Abs("../../bin/plugins")
	if err != nil {
		t.Fatal(err)
	}
	live, err := config.Open(config.Sources{Environ: append([]string{"HOME=" + t.TempDir(), "BGREMOVER_CONFIG=" + file, "BGREMOVER_DATA_DIR=" + data,
		"BGREMOVER_LISTEN=127.0.0.1:0", "BGREMOVER_ADMIN_LISTEN=127.0.0.1:0", "BGREMOVER_ADMIN_TOKEN=" + token, "BGREMOVER_BACKEND=staged",
		"BGREMOVER_CONTACT_EMAIL=operator@example.org", "BGREMOVER_PLUGIN_DIR=" + plugins, "BGREMOVER_DRAIN_DELAY=0s", "BGREMOVER_DRAIN_TIMEOUT=1s", "BGREMOVER_TIMEOUT=2m"}, more...)})
	if err != nil {
		t.Fatal(err)
	}
	log := &logbuffer.Buffer{}
	a, err := app.New(live, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		a.Close()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return &server{t: t, public: a.Address().String(), operator: a.Operator().String(), data: data, log: log}
}

// dataFolder is one in which files can be damaged.
func dataFolder(t *testing.T) string {
	t.Helper()
	from, own := installed(t), t.TempDir()
	known, err := os.ReadFile(filepath.Join(from, "installed.json"))
	for _, err := range []error{err, os.Mkdir(filepath.Join(own, "models"), 0o755), os.WriteFile(filepath.Join(own, "installed.json"), known, 0o600),
		os.Symlink(filepath.Join(from, "runtime"), filepath.Join(own, "runtime")),
		os.Symlink(filepath.Join(from, "models", "isnet.onnx"), filepath.Join(own, "models", "isnet.onnx")),
		os.Symlink(filepath.Join(from, "models", "derived"), filepath.Join(own, "models", "derived"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return own
}

// installed is the data folder of this machine.
func installed(t *testing.T) string {
	t.Helper()
	c, err := config.Load(config.Sources{Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := model.Open(c.Folders.Data).Installed("isnet"); err != nil {
		t.Fatalf("%v (run: make setup)", err)
	}
	return c.Folders.Data
}

// run starts a program that runs until the test ends.
func run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// clocked is the operator's side of a server whose clock on the wall can jump; no process
// can have a clock of its own.
func clocked(t *testing.T, clock func() time.Time) *server {
	t.Helper()
	o, err := admin.New(admin.Options{Listen: "127.0.0.1:0", Access: admin.Access{Token: token}, Metrics: admin.NewMetrics(admin.Build{}), Clock: clock, Log: slog.New(slog.DiscardHandler),
		Sources: admin.Sources{Backends: idle{}, Ready: func() error { return nil }, Settings: unset{}, Queue: func() admin.Queue { return admin.Queue{} }}})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- o.Serve() }()
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return &server{t: t, operator: o.Addr().String(), log: &logbuffer.Buffer{}}
}

type idle struct{ admin.Backends }

func (idle) Snapshot() []cutout.BackendStatus { return nil }

type unset struct{ admin.Settings }

func (unset) List() []admin.Setting { return nil }
func (unset) Keys() []admin.Setting { return nil }
func (unset) Last() admin.Reload    { return admin.Reload{} }

// get asks the operator's listener.
func (s *server) get(path string) string {
	s.t.Helper()
	return s.do(http.MethodGet, path, nil)
}

func (s *server) do(method, path string, form io.Reader) string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.operator+path, form)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s, %v", path, answer.Status, err)
	}
	return string(body)
}

var tags = regexp.MustCompile(`(?s)<[^>]*>`)

func (s *server) metrics() string { return s.get("/metrics") }

// page is the text of the operator's page.
func (s *server) page() string { return tags.ReplaceAllString(s.get("/"), " ") }

// await asks until what is got matches, and returns the match and the whole.
func (s *server) await(get func() string, pattern string) (found, whole string) {
	s.t.Helper()
	want := regexp.MustCompile("(?s)" + pattern)
	deadline := time.After(3 * time.Minute) // on a machine that is busy with other tests
	for {
		got := get()
		if found := want.FindString(got); found != "" {
			return strings.Join(strings.Fields(found), " "), got
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-deadline:
			s.t.Fatalf("%s never appears in:\n%s", pattern, got)
		}
	}
}

// awaitEnd asks until the page no longer says it.
func (s *server) awaitEnd(says string) {
	s.t.Helper()
	began, pattern := time.Now(), regexp.MustCompile("(?s)"+says)
	for page := s.page(); pattern.MatchString(page); page = s.page() {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-time.After(3*time.Minute - time.Since(began)):
			s.t.Fatalf("it does not end: %s", page)
		}
	}
	s.t.Logf("it ends after %v", time.Since(began).Round(time.Second/10))
}
