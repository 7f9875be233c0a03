package config

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"bgremover.pro/core/ratelimit"
)

// write makes a settings file and returns its path.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bgremover.toml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, sources Sources) *Config {
	t.Helper()
	c, err := Load(sources)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c
}

func TestDefaultsAreThoseOfThePublicInterface(t *testing.T) {
	t.Chdir(t.TempDir())
	c := load(t, Sources{})
	hour := time.Hour
	for _, check := range []struct {
		name      string
		got, want any
	}{
		{"listen", strings.Join(c.Server.Listen, ","), ":8080"},
		{"admin_listen", c.Operator.Listen, "127.0.0.1:9090"},
		{"backend", c.Inference.Backend, "auto"},
		{"model", c.Inference.Model, "isnet"},
		{"mode", c.Inference.Mode, "auto"},
		{"limits_device", c.Limits.Device, ratelimit.Rate{Count: 60, Period: hour}},
		{"limits_network", c.Limits.Network, ratelimit.Rate{Count: 600, Period: hour}},
		{"max_upload", c.Inference.MaxUpload, int64(30 << 20)},
		{"max_pixels", c.Inference.MaxPixels, 50_000_000},
		{"max_side", c.Inference.MaxSide, 32_767},
		{"max_photos", c.Inference.MaxPhotos, 10},
		{"queue", c.Inference.Queue, 32},
		{"site_name", c.Server.SiteName, "BGRemover"},
		{"log_dir", c.Folders.Logs, filepath.Join(c.Folders.Data, "logs")},
		{"file", c.File, ""},
	} {
		if check.got != check.want {
			t.Errorf("%s = %v, want %v", check.name, check.got, check.want)
		}
	}
}

func TestLaterSourcesOutrankEarlierOnes(t *testing.T) {
	path := write(t, "# mine\nqueue = 5\nmodel = \"file\"\nmode = \"fast\"\nsite_name = \"file\"\n")
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(flags)
	flags.Bool("verbose", false, "another command's own")
	if err := flags.Parse([]string{"--verbose", "--model=flag"}); err != nil {
		t.Fatal(err)
	}
	c := load(t, Sources{
		File: path, Flags: flags,
		Environ:  []string{"BGREMOVER_SITE_NAME=environment", "BGREMOVER_MODEL=environment", "OTHER=1"},
		Operator: map[string]string{"mode": "best", "site_name": "operator"},
	})
	want := map[string]struct{ text, origin string }{
		"queue":     {"5", "file bgremover.toml, line 2"},
		"mode":      {"best", "operator"},
		"site_name": {"environment", "environment BGREMOVER_SITE_NAME"},
		"model":     {"flag", "flag --model"},
		"listen":    {":8080", "default"},
	}
	for _, v := range c.Values() {
		w, checked := want[v.Key]
		if checked && (v.Text != w.text || v.Origin.String() != w.origin) {
			t.Errorf("%s = %q from %q, want %q from %q", v.Key, v.Text, v.Origin, w.text, w.origin)
		}
		if locked := v.Key == "site_name" || v.Key == "model"; v.Locked != locked {
			t.Errorf("%s locked = %t", v.Key, v.Locked)
		}
	}
	if c.Inference.Queue != 5 || c.Inference.Mode != "best" || c.Server.SiteName != "environment" || c.Inference.Model != "flag" {
		t.Errorf("the fields do not hold what the values say: %+v %+v", c.Server, c.Inference)
	}
}

func TestTypedValues(t *testing.T) {
	path := write(t, `
trusted_proxies = ["10.0.0.0/8", "2001:db8::1"]
limits_device = "5/s"
limits_network = "off"
limits_routes = "/api/v1/cutouts=120/2h"
limits_overrides = ["198.51.100.7=off", "203.0.113.0/24=block", "device:abc=7/1d"]
max_upload = "1.5MB"
timeout = "90s"
access_log_gzip = true
idle_unload = "7d"
[backends.mine]
command = "/bin/mine"
args = ["--a,b", "c"]
env = ["HOME", "TOKEN=secret", "NVIDIA_*"]
concurrency = 3
tls = false
models = ["isnet", "mine"]
memory = "2GiB"
max_memory = "6GiB"
start_timeout = "90s"
`)
	c := load(t, Sources{File: path})
	if got := c.Server.TrustedProxies; len(got) != 2 || got[1] != netip.MustParsePrefix("2001:db8::1/128") {
		t.Errorf("trusted_proxies = %v", got)
	}
	if c.Limits.Device != (ratelimit.Rate{Count: 5, Period: time.Second}) || c.Limits.Network != (ratelimit.Rate{}) {
		t.Errorf("limits = %v, %v", c.Limits.Device, c.Limits.Network)
	}
	if got := c.Limits.Routes; len(got) != 1 || got[0] != (ratelimit.RouteRate{Route: "/api/v1/cutouts", Rate: ratelimit.Rate{Count: 120, Period: 2 * time.Hour}}) {
		t.Errorf("limits_routes = %v", got)
	}
	o := c.Limits.Overrides
	if len(o) != 3 || o[0].Rate != (ratelimit.Rate{}) || o[0].Block || !o[1].Block || o[2].Device != "abc" || o[2].Rate.Count != 7 {
		t.Errorf("limits_overrides = %+v", o)
	}
	if c.Inference.MaxUpload != 1_500_000 || c.Inference.Timeout != 90*time.Second || c.Inference.IdleUnload != 7*day || !c.Log.Lines.Gzip {
		t.Errorf("inference = %+v", c.Inference)
	}
	if len(c.Backends) != 1 {
		t.Fatalf("backends = %+v", c.Backends)
	}
	b := c.Backends[0]
	if b.Name != "mine" || b.Command != "/bin/mine" || b.Args[0] != "--a,b" || b.Concurrency != 3 || b.TLS || len(b.Env) != 3 ||
		!slices.Equal(b.Models, []string{"isnet", "mine"}) || b.Memory != 2<<30 || b.MaxMemory != 6<<30 || b.StartTimeout != 90*time.Second {
		t.Errorf("backend = %+v", b)
	}
}

func TestSecretsFromFiles(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, Sources{File: write(t, ""), Environ: []string{"BGREMOVER_ADMIN_TOKEN_FILE=" + token}})
	if c.Operator.Token != "0123456789abcdef" {
		t.Errorf("token = %q", c.Operator.Token)
	}
	_, err := Load(Sources{File: write(t, ""), Environ: []string{"BGREMOVER_ADMIN_TOKEN_FILE=" + token, "BGREMOVER_ADMIN_TOKEN=0123456789abcdef"}})
	if err == nil || !strings.Contains(err.Error(), "is set twice") {
		t.Errorf("err = %v", err)
	}
	_, err = Load(Sources{File: write(t, ""), Environ: []string{"BGREMOVER_ADMIN_TOKEN_FILE=/nowhere"}})
	if err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("err = %v", err)
	}
}

func TestAPIKeyIsLetInByItsEntry(t *testing.T) {
	key, entry, err := NewAPIKey("shop", "1000/1h")
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, Sources{File: write(t, "api_keys = \""+entry+"\"")})
	got := c.Limits.Keys
	if len(got) != 1 || got[0].Name != "shop" || got[0].SHA256 != sha256.Sum256([]byte(key)) || got[0].Rate.Count != 1000 {
		t.Errorf("%q: %+v", key, got)
	}
	for _, bad := range [][2]string{{"Shop!", "1/1h"}, {"", "1/1h"}, {"shop", "0/1h"}} {
		if _, _, err := NewAPIKey(bad[0], bad[1]); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}

func TestKubernetesServiceVariablesAreNotOurs(t *testing.T) {
	load(t, Sources{File: write(t, ""), Environ: []string{
		"BGREMOVER_SERVICE_HOST=10.0.0.1", "BGREMOVER_SERVICE_PORT_HTTP=80", "BGREMOVER_PORT=tcp://10.0.0.1:80",
		"BGREMOVER_PORT_80_TCP_ADDR=10.0.0.1", "BGREMOVER_ADMIN_SERVICE_HOST=10.0.0.2",
	}})
}

func FuzzLoad(f *testing.F) {
	f.Add("queue = 3\n[backends.x]\ncommand=\"y\"")
	f.Add("limits_overrides = [1, [2], {a=1}]")
	f.Add("backends = 4")
	f.Add("[backends.x]\ncommand=\"y\"\nmodels=[\"m\"]\nmemory=\"1GiB\"\nmax_memory=2e9\nstart_timeout=\"5s\"\nconcurrency=3")
	f.Fuzz(func(t *testing.T, content string) {
		path := write(t, content)
		c, err := Load(Sources{File: path})
		if (c == nil) == (err == nil) {
			t.Fatal("neither a tree nor an error, or both")
		}
		if c == nil {
			return
		}
		// What is printed loads again and says the same.
		var printed strings.Builder
		if err := c.Print(&printed); err != nil {
			t.Fatal(err)
		}
		again, err := Load(Sources{File: write(t, printed.String())})
		if err != nil {
			t.Fatalf("%v in\n%s", err, printed.String())
		}
		for i, b := range again.Backends {
			b.Env, c.Backends[i].Env = nil, nil // whose values are not printed
			if fmt.Sprint(b) != fmt.Sprint(c.Backends[i]) {
				t.Errorf("%+v, printed and read %+v", c.Backends[i], b)
			}
		}
		for i, v := range c.Values() {
			if !v.Secret && again.Values()[i].Text != v.Text {
				t.Errorf("%s = %q, printed and read %q", v.Key, v.Text, again.Values()[i].Text)
			}
		}
	})
}
