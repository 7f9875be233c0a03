package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/admin"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/ratelimit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// backends is three backends, of which one fails when it is chosen.
type backends struct {
	mu       sync.Mutex
	active   string
	gate     chan struct{} // where set, a switch waits for it
	fallback bool
}

func (b *backends) Snapshot() []cutout.BackendStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := []cutout.BackendStatus{
		{Name: "onnx-cpu", State: "ready", Active: true, Device: "cpu", Provider: "CPUExecutionProvider", Runtime: "1.30.0", Models: []string{"isnet"}, Memory: 512 << 20, Requests: 120},
		{Name: "onnx-cuda", State: "failed", Why: "no CUDA device is there", Failures: 2, Restarts: 3, LastError: "libcudart.so.12: cannot open", Stderr: []string{"<script>alert(1)</script>"}, NextTry: time.Now().Add(time.Minute)},
		{Name: "other", State: "off", Unchecked: true},
	}
	if b.fallback {
		all[0].Why = "in place of onnx-cuda: no CUDA device is there"
	}
	for i := range all {
		all[i].Since = time.Now().Add(-time.Hour)
		all[i].Serving = all[i].Name == b.active || b.active == "auto" && i == 0
	}
	return all
}

func (b *backends) Switch(_ context.Context, name string) error {
	if b.gate != nil {
		<-b.gate
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch name {
	case "onnx-cuda":
		return cutout.Wrap(cutout.BackendUnavailable, errors.New("libcudart.so.12 is missing"), "The backend onnx-cuda does not start.")
	case "onnx-cpu", "other", "auto":
		b.active = name
		return nil
	}
	return cutout.Errorf(cutout.Invalid, "%s is none of: onnx-cpu, onnx-cuda, other", name)
}

// settings is a real configuration as the page shows it.
type settings struct{ *config.Live }

func (s settings) List() (all []admin.Setting) {
	for _, v := range s.Current().Values() {
		all = append(all, admin.Setting{Key: v.Key, Value: v.Text, Origin: v.Origin.String(), Help: v.Help, Accepts: v.Accepts, Group: v.Group,
			Live: v.Live, Locked: v.Locked, Changed: v.Origin.Kind == config.Operation, Waits: v.Waits})
	}
	return all
}

func (s settings) Keys() (all []admin.Setting) {
	for _, k := range s.Current().Limits.Keys {
		all = append(all, admin.Setting{Key: admin.KeyPrefix + k.Name, Value: config.FormatRate(k.Rate)})
	}
	return all
}

func (s settings) Apply(values map[string]string, persist bool) error {
	return s.Live.Apply(values, persist).Err
}

func (s settings) Preview(values map[string]string) (ratelimit.Rules, error) {
	c, err := s.Live.Preview(values)
	if err != nil {
		return ratelimit.Rules{}, err
	}
	return c.Limits.Rules, nil
}

func (s settings) Revert(key string) error { return s.Live.Revert(key).Err }

func (s settings) Reload() ([]string, error) {
	r := s.Live.Reload("operator")
	return changes(r), r.Err
}

func (s settings) Last() admin.Reload {
	r := s.Live.Last()
	if r == nil {
		return admin.Reload{}
	}
	return admin.Reload{Time: r.Time, Cause: r.Cause, Changes: changes(*r), Err: r.Err}
}

func changes(r config.Report) (all []string) {
	for _, c := range r.Changes {
		all = append(all, fmt.Sprintf("%s: %q, before %q", c.Key, c.To, c.From))
	}
	return all
}

// operator is a running listener with everything real but the backends.
type operator struct {
	t        testing.TB
	server   *admin.Server
	metrics  *admin.Metrics
	limiter  *ratelimit.Limiter
	live     *config.Live
	file     string
	backends *backends
	workshop *workshop
	notReady atomic.Pointer[error]
	noEdge   atomic.Pointer[error] // why the cache in front is not purged
	base     string
	audit    audit
}

// audit collects the lines of the audit trail.
type audit struct {
	mu   sync.Mutex
	text string
}

func (a *audit) add(line []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.text += string(line)
}

func (a *audit) read() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text
}

func start(t testing.TB, access admin.Access, environ ...string) *operator {
	t.Helper()
	o := &operator{t: t, backends: &backends{active: "auto"}, workshop: newWorkshop(), file: filepath.Join(t.TempDir(), "bgremover.toml")}
	o.write("limits_device = \"60/1h\" # an hour\n" + other)
	var err error
	if o.live, err = config.Open(config.Sources{File: o.file, Environ: environ}); err != nil {
		t.Fatal(err)
	}
	o.metrics = admin.NewMetrics(admin.Build{Version: "1.2.3", Revision: "abc", Go: "go1.26"})
	rules := func(c *config.Config) ratelimit.Rules {
		return c.Limits.Rules
	}
	if o.limiter, err = ratelimit.New(ratelimit.Options{Rules: rules(o.live.Current()), Refused: o.metrics.Limited}); err != nil {
		t.Fatal(err)
	}
	o.live.OnChange(func(_, c *config.Config, r config.Report) {
		o.metrics.Reloaded(r.Err)
		o.limiter.SetRules(rules(c))
	})
	log, err := accesslog.New(accesslog.Options{Mode: "file", Dir: t.TempDir(), Settings: accesslog.Settings{Format: "combined", IP: "full", Days: 30}})
	if err != nil {
		t.Fatal(err)
	}
	o.server, err = admin.New(admin.Options{Listen: "127.0.0.1:0", Access: access, Build: admin.Build{Version: "1.2.3"}, Metrics: o.metrics, Audit: o.audit.add, Sources: admin.Sources{
		Backends: o.backends, Queue: func() admin.Queue { return admin.Queue{Working: 1, Workers: 2, Waiting: 3, Capacity: 32} },
		Ready: func() error {
			if why := o.notReady.Load(); why != nil {
				return *why
			}
			return nil
		},
		Limiter: o.limiter, AccessLog: log, Settings: settings{o.live}, Workshop: o.workshop,
		Purge: func(context.Context) ([]string, error) {
			if why := o.noEdge.Load(); why != nil {
				return nil, *why
			}
			return []string{"Varnish"}, nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- o.server.Serve() }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := errors.Join(o.server.Close(), <-served, log.Close(context.Background()), o.limiter.Close()); err != nil {
			t.Error(err)
		}
	})
	o.base = "http://" + o.server.Addr().String()
	return o
}

// other describes the third backend.
const other = "[backends.other]\ncommand = \"other\"\n"

func (o *operator) write(content string) {
	o.t.Helper()
	if err := os.WriteFile(o.file, []byte(content), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// answer is a response.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request; edit may change it.
func (o *operator) ask(method, path string, form url.Values, edit ...func(*http.Request)) answer {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), method, o.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		o.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, e := range edit {
		e(r)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got, err := client.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, string(body)}
}

// await asks for a part of the page until it says something.
func (o *operator) await(path, text string) {
	o.t.Helper()
	for {
		if got := o.ask("GET", path, nil); strings.Contains(got.body, text) {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-o.t.Context().Done():
			o.t.Fatalf("%s never says %q", path, text)
		}
	}
}

func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

var (
	htmx    = with("HX-Request", "true")
	browser = with("Accept", "text/html")
)
