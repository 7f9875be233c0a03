package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"bgremover.pro/cmd/internal/cli"
	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/admin"
	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/ratelimit"
)

// running is a server's operator's side, as far as our commands need it.
type running struct {
	*admin.Server
	live    *config.Live
	limiter *ratelimit.Limiter
	shop    *shop
}

// aServer starts one; commands find it by the environment.
func aServer(t *testing.T) *running {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "bgremover.toml")
	if err := os.WriteFile(file, []byte("limits_device = \"60/1h\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	live, err := config.Open(config.Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	limiter, err := ratelimit.New(ratelimit.Options{Rules: live.Current().Limits.Rules})
	if err != nil {
		t.Fatal(err)
	}
	r := &running{live: live, limiter: limiter, shop: &shop{byDefault: "isnet"}}
	r.Server, err = admin.New(admin.Options{Listen: "127.0.0.1:0", Build: admin.Build{Version: "1.2.3"}, Metrics: admin.NewMetrics(admin.Build{}), Sources: admin.Sources{
		Backends: two{}, Ready: func() error { return nil }, Settings: configured{Live: live}, Limiter: limiter, Workshop: r.shop,
		Queue: func() admin.Queue { return admin.Queue{Working: 1, Workers: 2, Waiting: 3, Capacity: 32} }}})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- r.Serve() }()
	t.Cleanup(func() {
		if err := errors.Join(r.Close(), <-served, limiter.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("BGREMOVER_ADMIN_LISTEN", r.Addr().String())
	t.Setenv("BGREMOVER_ADMIN_TOKEN", "")
	t.Setenv("BGREMOVER_DATA_DIR", filepath.Join(dir, "data"))
	return r
}

// two is two backends, of which one serves.
type two struct{}

func (two) Snapshot() []cutout.BackendStatus {
	return []cutout.BackendStatus{{Name: "onnx-cpu", State: "ready", Serving: true, Device: "cpu", Models: []string{"isnet"}, Memory: 512 << 20},
		{Name: "onnx-cuda", State: "failed", Why: "no CUDA device is there"}}
}

func (two) Switch(_ context.Context, name string) error {
	if name != "onnx-cpu" {
		return cutout.Errorf(cutout.Invalid, "backend is one of: onnx-cpu")
	}
	return nil
}

// configured is a real configuration.
type configured struct {
	*config.Live
	nothing
}

func (c configured) List() (all []admin.Setting) {
	for _, v := range c.Current().Values() {
		all = append(all, admin.Setting{Key: v.Key, Value: v.Text, Origin: v.Origin.String(), Changed: v.Origin.Kind == config.Operation})
	}
	return all
}
func (c configured) Apply(values map[string]string, persist bool) error {
	return c.Live.Apply(values, persist).Err
}
func (c configured) Reload() ([]string, error) { return nil, c.Live.Reload("operator").Err }
func (configured) Last() admin.Reload          { return admin.Reload{} }
func (c configured) Revert(key string) error   { return c.Live.Revert(key).Err }
func (c configured) Preview(values map[string]string) (ratelimit.Rules, error) {
	preview, err := c.Live.Preview(values)
	if err != nil {
		return ratelimit.Rules{}, err
	}
	return preview.Limits.Rules, nil
}

// shop is a data folder with one model.
type shop struct {
	admin.Workshop
	byDefault string
	refreshed int
}

func (s *shop) Models() []cutout.ModelStatus {
	return []cutout.ModelStatus{{Name: "isnet", Installed: true, Default: s.byDefault == "isnet", Loaded: []string{"onnx-cpu"}},
		{Name: "u2net", Installed: true, Default: s.byDefault == "u2net"}}
}
func (s *shop) Use(_ context.Context, name string) error { s.byDefault = name; return nil }
func (s *shop) Refresh(context.Context) error            { s.refreshed++; return nil }
func (*shop) Try(_ context.Context, backend, model string) (cutout.Trial, error) {
	if backend == "onnx-cuda" {
		return cutout.Trial{}, cutout.Errorf(cutout.BackendUnavailable, "no CUDA device is there")
	}
	return cutout.Trial{Backend: "onnx-cpu", Device: "cpu", Model: model, Mode: "auto", Sizes: []int{512, 1024}, Subject: "found", Inference: 321, Total: 654,
		Stages: []cutout.TrialStage{{Name: cutout.Infer, Times: 345}}, Memory: 511e6, Picture: []byte("picture")}, nil
}

// bgremover runs a command line and returns what it prints and its exit status.
func bgremover(t *testing.T, args ...string) (string, int) {
	t.Helper()
	return bgremoverUntil(t.Context(), args...)
}

func bgremoverUntil(ctx context.Context, args ...string) (string, int) {
	var out bytes.Buffer
	root := rootCommand()
	root.SetOut(&out)
	root.SetErr(&out)
	status := cli.Run(ctx, root, args)
	return out.String(), status
}

// TestCommandsOfTheOperator: each says what the server's page would, and its JSON can be
// read.
func TestCommandsOfTheOperator(t *testing.T) {
	s := aServer(t)
	s.Failed(accesslog.Request{Time: time.Unix(1800000000, 0), ID: "req-1", Route: "/api/v1/cutouts", Status: 500, Code: "internal", Err: errors.New("the model failed")})
	s.limiter.Charge(t.Context(), ratelimit.Key{Device: "abcdefgh", Addr: netip.MustParseAddr("192.0.2.1")}, 3)
	picture := filepath.Join(t.TempDir(), "cut.webp")
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"status"}, []string{"ready", "1.2.3", "onnx-cpu on cpu, isnet", "1 of 2 workers busy, 3 of 32 waiting", "errors", "contact_email"}},
		{[]string{"errors"}, []string{"req-1", "500", "/api/v1/cutouts", "the model failed", "2027-01-15T08:00:00Z"}},
		{[]string{"backends"}, []string{"*onnx-cpu", "512 MiB", "no CUDA device is there"}},
		{[]string{"backends", "use", "onnx-cpu"}, []string{"onnx-cpu serves until"}},
		{[]string{"backends", "use", "onnx-cpu", "--persist"}, []string{"saved in the settings file"}},
		{[]string{"backends", "try", "onnx-cpu", "--model", "u2net", "--to", picture}, []string{"onnx-cpu, cpu", "u2net, mode auto, at 512, 1024 pixels", "321 ms", "infer 345 ms", "511 MB"}},
		{[]string{"models"}, []string{"*isnet", "onnx-cpu", "u2net"}},
		{[]string{"models", "use", "u2net"}, []string{"u2net is the default until the server's next start", `model = "u2net"`}},
		{[]string{"limits", "preview", "limits_device=2/1h", "--address", "198.51.100.7"}, []string{"refused  1 abcdefgh", "198.51.100.7 would have 600 of 600"}},
		{[]string{"limits", "set", "limits_device=9/1h"}, []string{"applied"}},
		{[]string{"limits"}, []string{"limits_device", "9/1h", "the operator, until the next start", "limits_network"}},
		{[]string{"limits", "--json"}, []string{`"key":"limits_device","value":"9/1h"`, `"changed":true`}},
		{[]string{"limits", "revert", "limits_device"}, []string{"limits_device is back to the settings file's value"}},
		{[]string{"config", "reload"}, []string{"Nothing has changed."}},
		{[]string{"devices"}, []string{"abcdefgh", "3"}},
		{[]string{"devices", "block", "abcdefgh"}, []string{"block is done"}},
		{[]string{"devices", "--json"}, []string{`"blocked":true`}},
		{[]string{"limits", "set", "limits_device=7/1h"}, []string{"applied"}},
		{[]string{"actions"}, []string{"change of limits: limits_device", "use model u2net", "done"}},
		{[]string{"limits", "set", "limits_network=70/1h", "--persist"}, []string{"applied"}},
	} {
		out, status := bgremover(t, c.args...)
		for _, says := range c.says {
			if status != 0 || !strings.Contains(out, says) {
				t.Errorf("%v: status %d, and it does not say %q:\n%s", c.args, status, says, out)
			}
		}
	}
	if text, err := os.ReadFile(picture); err != nil || string(text) != "picture" {
		t.Errorf("%q, %v", text, err)
	}
	c := s.live.Current()
	file, err := os.ReadFile(c.File)
	if c.Limits.Device.Count != 7 || c.Limits.Network.Count != 70 || s.shop.byDefault != "u2net" || err != nil ||
		!strings.Contains(string(file), "60/1h") || !strings.Contains(string(file), `limits_network = "70/1h"`) {
		t.Errorf("%+v, %s is the default, the file holds %q", c.Limits.Rules, s.shop.byDefault, file)
	}
	for _, args := range [][]string{{"status", "--json"}, {"errors", "--json"}, {"actions", "--json"}, {"backends", "--json"}, {"models", "--json"}, {"backends", "try", "--json"}} {
		var any any
		if out, status := bgremover(t, args...); status != 0 || json.Unmarshal([]byte(out), &any) != nil || any == nil {
			t.Errorf("%v: %d %q", args, status, out)
		}
	}
}

// TestCommandsThatFail: the reason is the server's, and the exit status is not 0.
func TestCommandsThatFail(t *testing.T) {
	s := aServer(t)
	why := func(args ...string) string {
		t.Helper()
		cmd := rootCommand()
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(args)
		cmd.SetOut(&bytes.Buffer{})
		cmd.SetErr(&bytes.Buffer{})
		err := cmd.ExecuteContext(t.Context())
		return fmt.Sprint(err)
	}
	for want, args := range map[string][]string{
		"no CUDA device is there":             {"backends", "try", "onnx-cuda"},
		"backend is one of: onnx-cpu":         {"backends", "use", "nothing"},
		"limits_device":                       {"limits", "set", "limits_device=many"},
		"is not of the form":                  {"limits", "set", "queue=5"},
		"must name a model":                   {"models", "use", "nothing"},
		"isnet is the default model":          {"models", "remove", "isnet"},
		"u2net is not installed":              {"models", "remove", "u2net"},
		"There is no model":                   {"models", "pull", "nothing"},
		"requires at least 1 arg":             {"limits", "set"},
		`unknown command "praise"`:            {"praise"},
		"unknown flag: --loud":                {"status", "--loud"},
		`"many" for "--every" flag: time: in`: {"status", "--every", "many"},
	} {
		if got := why(args...); !strings.Contains(got, want) {
			t.Errorf("%v: %s, not %q", args, got, want)
		}
	}
	if s.live.Current().Limits.Device.Count != 60 {
		t.Error("a mistake changed something")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"status"}, {"errors"}, {"backends"}, {"limits", "set", "limits_device=1/1h"}, {"models", "use", "isnet"}, {"backends", "try"}} {
		if got := why(args...); !strings.Contains(got, "cannot connect to the server at http://127.0.0.1:") {
			t.Errorf("%v without a server: %s", args, got)
		}
	}
	if out, status := bgremover(t, "models", "list"); status != 0 || !strings.Contains(out, "*isnet") {
		t.Errorf("models without a server: %d %s", status, out)
	}
}

// TestLiveStatus: the view is drawn again until it is interrupted.
func TestLiveStatus(t *testing.T) {
	aServer(t)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	out := &countdown{left: 3, done: stop}
	root := rootCommand()
	root.SetOut(out)
	if status := cli.Run(ctx, root, []string{"status", "--every", "1ms"}); status != 0 || out.left > 0 {
		t.Errorf("status %d, %d drawings are missing", status, out.left)
	}
}

// countdown ends a live view after some drawings.
type countdown struct {
	left int
	done func()
}

func (c *countdown) Write(p []byte) (int, error) {
	if c.left -= strings.Count(string(p), "\x1b[2J"); c.left <= 0 {
		c.done()
	}
	return len(p), nil
}

// TestDocs: there is a man page of each command, and what the shells complete comes from
// the running server.
func TestDocs(t *testing.T) {
	aServer(t)
	dir := t.TempDir()
	if out, status := bgremover(t, "docs", dir); status != 0 {
		t.Fatal(out)
	}
	for file, says := range map[string]string{"man/man1/bgremover-backends-try.1": "cut out a test photo", "man/man1/bgremover-status.1": "--every", "man/man1/bgremover.1": "BGREMOVER_CONFIG names, then from BGREMOVER_* variables",
		"bash-completion/completions/bgremover": "bgremover", "zsh/site-functions/_bgremover": "#compdef bgremover", "fish/vendor_completions.d/bgremover.fish": "complete"} {
		if text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file))); err != nil || !strings.Contains(strings.ReplaceAll(string(text), `\-`, "-"), says) {
			t.Errorf("%s: %v, or it does not say %q", file, err, says)
		}
	}
	for _, cmd := range all(rootCommand()) {
		page := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		if _, err := os.Stat(filepath.Join(dir, "man", "man1", page)); err != nil {
			t.Error(err)
		}
		if cmd.Short == "" {
			t.Errorf("%s says nothing", page)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" && !f.Hidden {
				t.Errorf("%s: --%s says nothing", page, f.Name)
			}
		})
	}
	t.Setenv("BGREMOVER_ACTIVE_HELP", "0") // as the completion of fish does
	for want, args := range map[string][]string{"onnx-cuda\n": {"backends", "use", ""}, "u2net\n": {"models", "remove", ""},
		"isnet\n": {"models", "pull", ""}, "best\n": {"remove", "--mode", ""}, "onnx-cpu\n": {"remove", "--backend", ""}, "kserve\n": {"models", "export", "--for", ""}} {
		if out, status := bgremover(t, append([]string{"__complete"}, args...)...); status != 0 || !strings.Contains(out, want) {
			t.Errorf("%v: %q", args, out)
		}
	}
}

// TestExamples: their commands and flags exist.
func TestExamples(t *testing.T) {
	for path, lines := range examples {
		for _, line := range lines {
			words := strings.Fields(line[strings.Index(line, "bgremover ")+len("bgremover "):])
			if i := slices.IndexFunc(words, func(w string) bool { return w == "<" || w == ">" }); i >= 0 {
				words = words[:i]
			}
			cmd, rest, err := rootCommand().Find(words)
			if err == nil && path != "" && cmd.CommandPath() != "bgremover "+path {
				t.Errorf("%s is an example of %s", line, cmd.CommandPath())
			}
			if err == nil {
				err = cmd.ParseFlags(rest)
			}
			if err == nil && !cmd.DisableFlagParsing {
				err = cmd.ValidateArgs(cmd.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
}

func TestFigures(t *testing.T) {
	for want, c := range map[string]struct {
		chart  string
		values map[string]float64
	}{
		"p50 321ms, p95 1.5s":         {"Request time per photo", map[string]float64{"p95": 1.5, "p50": .321}},
		"backends 0 MB, server 54 MB": {"Memory", map[string]float64{"server": 54e6, "backends": 1}},
		"all 0, server errors 1.23":   {"Requests a second", map[string]float64{"all": 0, "server errors": 1.2345}},
		"nothing measured":            {"Inference time", nil},
	} {
		if got := figures(c.chart, c.values); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
