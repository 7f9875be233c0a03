package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestAllMistakesAreReportedTogether(t *testing.T) {
	path := write(t, `
limits_devise = "60/1h"
limits_network = "-5/1h"
queue = 0
max_upload = "lots"
mode = 3
access_log_days = 31
[backends.auto]
comand = "/bin/x"
[backends.mine]
`)
	_, err := Load(Sources{File: path, Environ: []string{"BGREMOVER_LIMITS_DEVICE=0/1h", "BGREMOVER_QEUE=9", "BGREMOVER_ADMIN_TOKEN=short-secret"}})
	var problems Errors
	if !errors.As(err, &problems) {
		t.Fatalf("err = %v", err)
	}
	text := err.Error()
	for _, want := range []string{
		`limits_devise (file bgremover.toml, line 2) is not a setting; did you mean limits_device?`,
		`qeue (environment BGREMOVER_QEUE) is not a setting; did you mean queue?`,
		`limits_device = "0/1h" (environment BGREMOVER_LIMITS_DEVICE) is out of range; expected a rate such as 60/1h`,
		`limits_network = "-5/1h" (file bgremover.toml, line 3) is out of range`,
		`queue = "0" (file bgremover.toml, line 4) is out of range; expected a whole number from 1 to 100000`,
		`max_upload = "lots" (file bgremover.toml, line 5) is not valid; expected a size such as 30MiB`,
		`mode = "3" (file bgremover.toml, line 6) is not valid; expected one of: auto, fast, best`,
		`access_log_days = "31" (file bgremover.toml, line 7) is out of range; expected a whole number from 1 to 30`,
		`admin_token (environment BGREMOVER_ADMIN_TOKEN) is not valid; expected at least 16 characters`,
		`backends.auto (file bgremover.toml) is not a valid backend name`,
		`backends.auto.comand (file bgremover.toml, line 9) is not a field of a backend; did you mean command?`,
		`backends.mine.command (file bgremover.toml) is missing`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if len(problems) != 12 {
		t.Errorf("%d problems, want 12:\n%s", len(problems), text)
	}
	if strings.Contains(text, "short-secret") {
		t.Error("the message shows a secret")
	}
}

func TestContradictions(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"same address", `admin_listen = "127.0.0.1:8080"`, "admin_listen"},
		{"same address, second", "listen = [\"127.0.0.1:1\", \"127.0.0.1:9090\"]", "admin_listen"},
		{"address twice", "listen = \":7000,127.0.0.1:7000\"", "names 127.0.0.1:7000 twice"},
		{"no address", "listen = \"\"", "must name an address"},
		{"no host", `fetch_hosts = "http://example.com"`, "fetch_hosts"},
		{"no port", `fetch_hosts = "example.com:0"`, "fetch_hosts"},
		{"no domain", `fetch_hosts = "*."`, "fetch_hosts"},
		{"open operator page", `admin_listen = ":9090"`, "admin_token or admin_client_ca must be set"},
		{"socket with a certificate", "admin_listen = \"unix:/run/x\"\nadmin_tls_cert = \"/dev/null\"\nadmin_tls_key = \"/dev/null\"", "does not apply to a socket"},
		{"socket without a place", `admin_listen = "unix:x"`, "expected host:port"},
		{"certificate alone", `tls_cert = "/dev/null"`, "tls_cert"},
		{"key that is not there", "tls_cert = \"/dev/null\"\ntls_key = \"/nowhere\"", "cannot be read"},
		{"client certificate without key", `admin_client_cert = "/dev/null"`, "admin_client_key must be set together"},
		{"authority without certificate", `admin_client_ca = "/dev/null"`, "needs admin_tls_cert"},
		{"network below device", `limits_network = "10/1h"`, "lets a whole network send less than one device"},
		{"network below device by period", `limits_network = "100/1d"`, "lets a whole network send less than one device"},
		{"unknown backend", `backend = "cuda"`, "which is not one of: auto, onnx-cpu, onnx-cuda"},
		{"backend that may grow to less than it needs", "[backends.onnx-cpu]\nmemory = \"2GiB\"\nmax_memory = \"1GiB\"", `backends.onnx-cpu.max_memory = "1GiB" (file bgremover.toml, line 3) is less than memory, which is 2GiB`},
		{"backend without memory", "[backends.onnx-cpu]\nmemory = \"1kB\"", "is out of range; expected a size"},
		{"backend that may start for ever", "[backends.onnx-cpu]\nstart_timeout = \"off\"", "is out of range; expected a duration"},
		{"models that are no names", "[backends.onnx-cpu]\nmodels = [\"../isnet\"]", "is not a valid model name"},
		{"one model that is no list", "[backends.onnx-cpu]\nmodels = \"isnet\"", "is not a list of strings"},
		{"one model by another name", "[backends.onnx-cpu]\nmodel = \"isnet\"", "did you mean models?"},
		{"unknown backend for requests", `api_backends = "x"`, "api_backends"},
		{"log folder that is a pattern", `log_dir = "/var/100%data"`, "would read as a pattern"},
		{"log folder with data", "data_dir = \"/d\"\nlog_dir = \"/d\"", "a folder of their own"},
		{"trust in everyone", `trusted_proxies = "0.0.0.0/0"`, "trusts every address"},
		{"a zone without its token", `edge_cloudflare_zone = "0a1b"`, "and edge_cloudflare_token must be set together"},
		{"a service without its token", `edge_fastly_service = "0a1b"`, "and edge_fastly_token must be set together"},
		{"an edge that is no address", `edge_varnish = "127.0.0.1"`, "edge_varnish"},
		{"a key instead of its hash", `api_keys = "me:bgr_abc=1/1h"`, "not the key itself"},
		{"broken file", `queue = `, "is not valid TOML"},
		{"key given twice", "queue = 1\nqueue = 2", "is not valid TOML"},
		{"table for a value", "[queue]\nx = 1", "is a table"},
		{"absurd rate", `limits_device = "99999999999999999999/1h"`, "limits_device"},
		{"absurd period", `limits_device = "1/9999999h"`, "limits_device"},
		{"control characters", `site_name = "a\u0000b"`, "site_name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(Sources{File: write(t, c.file)})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("err = %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestUnreadableFile(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "absent.toml"), t.TempDir()} {
		if _, err := Load(Sources{File: path}); err == nil || !strings.Contains(err.Error(), "cannot be read") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Load(Sources{Environ: []string{"BGREMOVER_CONFIG=/nowhere.toml"}}); err == nil {
		t.Error("a file named by the environment may not be absent")
	}
}
