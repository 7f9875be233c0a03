package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bgremover.pro/core/config"
	"bgremover.pro/core/model"
)

// plugins builds the backends once for all tests of this package.
var plugins = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "bgremover-plugins-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "onnx-cpu"), "bgremover.pro/plugins/onnxcpu")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

// shared is an Engine for tests that do not disturb it; loading the model takes longer
// than most of them.
var shared struct {
	sync.Once
	engine *Engine
}

func sharedEngine(t testing.TB) *Engine {
	t.Helper()
	shared.Do(func() {
		c, err := config.Load(config.Sources{Environ: environ(t)})
		if err != nil {
			t.Fatal(err)
		}
		if shared.engine, err = NewEngine(c, EngineOptions{Log: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
		if err := shared.engine.Backends.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
	if shared.engine == nil {
		t.Fatal("the shared engine could not be started; see the first failure")
	}
	return shared.engine
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.engine != nil {
		shared.engine.Close()
	}
	if dir, err := plugins(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// environ is that of a server of its own: free ports, the installed model,
// logs in the test's folder.
func environ(t testing.TB, more ...string) []string {
	t.Helper()
	dir, err := plugins()
	if err != nil {
		t.Fatal("the backend cannot be built:", err)
	}
	defaults, err := config.Load(config.Sources{Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	data := defaults.Folders.Data
	if _, err := model.Open(data).Installed("isnet"); err != nil {
		t.Fatalf("%v (run: make setup)", err)
	}
	return append([]string{
		"HOME=" + t.TempDir(),
		"BGREMOVER_LISTEN=127.0.0.1:0",
		"BGREMOVER_ADMIN_LISTEN=127.0.0.1:0",
		"BGREMOVER_DATA_DIR=" + data,
		"BGREMOVER_PLUGIN_DIR=" + dir,
		"BGREMOVER_LOG_DIR=" + t.TempDir(),
		"BGREMOVER_DRAIN_DELAY=0s",
		"BGREMOVER_TIMEOUT=10m", // a busy machine and the race detector together
		"BGREMOVER_LIMITS_DEVICE=off",
		"BGREMOVER_LIMITS_NETWORK=off",
	}, more...)
}

// operatorToken is the token that a server of these tests generated, as our own
// commands find it.
func operatorToken(t testing.TB) string {
	t.Helper()
	c, err := config.Load(config.Sources{Environ: environ(t)})
	if err != nil {
		t.Fatal(err)
	}
	token, err := config.ReadSecretFile(c.MadeToken())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// newEngine starts an Engine without listeners.
func newEngine(t testing.TB, more ...string) *Engine {
	t.Helper()
	c, err := config.Load(config.Sources{Environ: environ(t, more...)})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := NewEngine(c, EngineOptions{Log: newLogger(t.Output(), "text", logLevel(c))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	if err := engine.Backends.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return engine
}

// server is an App that runs until the test ends.
type server struct {
	*App
	URL  string
	stop context.CancelFunc
	done chan error
}

func serve(t testing.TB, more ...string) *server {
	t.Helper()
	live, err := config.Open(config.Sources{Environ: environ(t, more...)})
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(live, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &server{App: a, URL: "http://" + shownAddress(a.Address()), stop: stop, done: make(chan error, 1)}
	go func() { s.done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-s.done; err != nil {
			t.Error("the server ended with:", err)
		}
		a.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	s.awaitReady(t)
	return s
}

// startLimit bounds the start or the end of a process on a busy machine.
const startLimit = 3 * time.Minute

func (s *server) awaitReady(t testing.TB) {
	t.Helper()
	deadline, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	for {
		changed := s.engine.Backends.Changed()
		if s.engine.Backends.Ready() == nil {
			return
		}
		select {
		case <-changed:
		case err := <-s.done:
			s.done <- err
			t.Fatal("the server ended:", err)
		case <-deadline.Done():
			t.Fatal("not ready after", startLimit, s.engine.Backends.Ready())
		}
	}
}

func photo(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "photos", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
