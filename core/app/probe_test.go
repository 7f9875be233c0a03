package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/ops/testing/logbuffer"
)

// base are settings with which a server runs alongside others.
func base(t *testing.T) map[string]string {
	t.Helper()
	dir, err := plugins()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0", "data_dir": dataDir(t), "plugin_dir": dir,
		"log_dir": t.TempDir(), "drain_delay": "0s", "limits_device": "off", "limits_network": "off",
		"workers": "1", "queue": "2",
	}
}

// dataDir is the installed one with another model added by the test.
func dataDir(t *testing.T) string {
	t.Helper()
	defaults, err := config.Load(config.Sources{Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	dir, installed := t.TempDir(), defaults.Folders.Data
	link := func(folder string) {
		entries, err := os.ReadDir(filepath.Join(installed, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() != "models" {
				err = errors.Join(err, os.Symlink(filepath.Join(installed, folder, e.Name()), filepath.Join(dir, folder, e.Name())))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	models := filepath.Join(dir, "models")
	if err := os.Mkdir(models, 0o700); err != nil {
		t.Fatal(err)
	}
	link("")
	link("models")
	for name, text := range map[string]string{"own.onnx": "weights", "own.toml": "size = 64\nlicence = \"mine\"\n"} {
		if err := os.WriteFile(filepath.Join(models, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// probe is a server that is called without a network.
type probe struct {
	*App
	settings map[string]string
	running  bool
	file     string
	said     *logbuffer.Buffer
	once     sync.Once
}

// open makes a server, with its backend running if wanted; it has no App if the
// server does not start.
func open(t *testing.T, settings map[string]string, running bool) *probe {
	t.Helper()
	p := &probe{settings: settings, running: running, file: filepath.Join(t.TempDir(), "bgremover.toml"), said: &logbuffer.Buffer{}}
	p.write(t, settings)
	live, err := config.Open(config.Sources{File: p.file, Environ: []string{"HOME=" + t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	if p.App, err = New(live, p.said); err != nil {
		return p
	}
	t.Cleanup(p.end)
	if running {
		if err := p.engine.Backends.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *probe) end() {
	p.once.Do(func() {
		_ = p.web.Close()
		p.Close()
	})
}

func (p *probe) write(t *testing.T, settings map[string]string) {
	t.Helper()
	program, err := fakebackend()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for key, value := range settings {
		fmt.Fprintf(&text, "%s = %q\n", key, value)
	}
	fmt.Fprintf(&text, "[backends.fake]\ncommand = %q\n", program)
	if err := os.WriteFile(p.file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *probe) ask(method, path string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, body)
	r.RemoteAddr = visitor
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.web.ServeHTTP(recorder{w}, r)
	return w
}

// recorder takes the deadlines that a connection takes.
type recorder struct{ *httptest.ResponseRecorder }

func (recorder) SetWriteDeadline(time.Time) error { return nil }

func (p *probe) get(path string, headers ...string) string {
	return p.ask(http.MethodGet, path, nil, headers...).Body.String()
}

func (p *probe) send(query string, photo []byte) *httptest.ResponseRecorder {
	return p.ask(http.MethodPost, "/api/v1/cutouts"+query, bytes.NewReader(photo))
}

func (p *probe) photo(query string) *httptest.ResponseRecorder {
	return p.send(query, append(plain(64), make([]byte, 2000)...))
}

func (p *probe) remove(t *testing.T, o cutout.Options) *cutout.Result {
	t.Helper()
	result, err := p.engine.Pipeline.Remove(t.Context(), cutout.Job{Upload: plain(64), Options: o})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// accessLine is the access log's line for one request.
func (p *probe) accessLine(t *testing.T) string {
	t.Helper()
	p.get("/")
	p.end()
	files, err := filepath.Glob(filepath.Join(p.settings["log_dir"], "*"))
	if err != nil || len(files) == 0 {
		return ""
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
