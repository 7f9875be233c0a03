package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/ops/testing/certs"
	"bgremover.pro/ops/testing/ports"
)

// A row shows what one setting does: effect observes a server and returns what it
// sees, which must differ with and without the value. To add a
// setting, add a row.
type row struct {
	value string
	with  map[string]string // what is set together with it
	// running: effect needs a backend that runs, a fake one.
	running bool
	effect  func(*testing.T, *probe) string
	// shownBy names a test in another file, for effects that cannot be seen here.
	shownBy string
}

const (
	secretText = "0123456789abcdef0123456789abcdef"
	visitor    = "198.51.100.7:1"
)

func rows(t *testing.T) map[string]row {
	authority := certs.New(t)
	cert, key := authority.File("ca"), authority.Key("ca")
	elsewhere := t.TempDir()
	ownKey := fmt.Sprintf("%x", sha256.Sum256([]byte("k3y")))
	return map[string]row{
		"listen": {value: ports.Free(t), effect: func(_ *testing.T, p *probe) string { return fixed("listen", p, p.Address()) }},
		"fetch_hosts": {value: "127.0.0.1", effect: func(_ *testing.T, p *probe) string {
			return p.ask(http.MethodPost, "/v1.0/removebg", strings.NewReader("image_url=http://127.0.0.1/a"), "Content-Type", "application/x-www-form-urlencoded").Body.String()
		}},
		"public_url":    {value: "https://cut.example", effect: header("/", "Strict-Transport-Security")},
		"site_name":     {value: "Cutter", effect: found("/", "<title>Cutter")},
		"contact_email": {value: "me@cut.example", effect: found("/contact", "me@cut.example")},
		"tls_cert":      {value: cert, with: map[string]string{"tls_key": key}, effect: encrypted},
		"tls_key":       {value: key, with: map[string]string{"tls_cert": cert}, effect: encrypted},
		"trusted_proxies": {value: "198.51.100.0/24", effect: func(t *testing.T, p *probe) string {
			one, two := p.get("/device/data", "X-Forwarded-For", "192.0.2.1"), p.get("/device/data", "X-Forwarded-For", "203.0.113.1")
			return fmt.Sprint(identifier(one) == identifier(two), found("/privacy", "stands behind a proxy")(t, p))
		}},
		"device_secret": {value: secretText, effect: func(t *testing.T, p *probe) string {
			twin := open(t, p.settings, p.running)
			same := identifier(p.get("/device/data")) == identifier(twin.get("/device/data"))
			return fmt.Sprint(same, found("/privacy", "Several servers share")(t, p))
		}},
		"max_connections": {value: "1", effect: secondConnection},
		"drain_delay":     {value: "3s", effect: drainTakes(2 * time.Second)},
		"drain_timeout":   {value: "1s", effect: cutOff},
		"data_dir":        {value: elsewhere, effect: nothing}, // nothing is installed there
		"plugin_dir": {value: elsewhere, effect: func(t *testing.T, p *probe) string {
			specs, err := backendSpecs(p.live.Current(), p.engine.Store)
			if err != nil {
				t.Fatal(err)
			}
			_, err = specs[0].Path()
			return fmt.Sprint(err == nil)
		}},
		"log_dir": {value: elsewhere, effect: func(t *testing.T, p *probe) string {
			p.get("/")
			p.end()
			files, _ := filepath.Glob(filepath.Join(elsewhere, "*"))
			for _, file := range files {
				_ = os.Remove(file)
			}
			return fmt.Sprint(len(files) > 0)
		}},

		"admin_listen":      {value: ports.Free(t), effect: func(_ *testing.T, p *probe) string { return fixed("admin_listen", p, p.Operator()) }},
		"admin_token":       {value: secretText, effect: operatorSays("/", "Bearer "+secretText)},
		"admin_metrics":     {value: "token", with: map[string]string{"admin_token": secretText}, effect: operatorSays("/metrics", "")},
		"admin_tls_cert":    {value: cert, with: map[string]string{"admin_tls_key": key}, effect: operatorEncrypts},
		"admin_tls_key":     {value: key, with: map[string]string{"admin_tls_cert": cert}, effect: operatorEncrypts},
		"admin_client_ca":   {value: cert, with: map[string]string{"admin_tls_cert": cert, "admin_tls_key": key}, effect: operatorEncrypts},
		"admin_client_cert": {shownBy: "cmd/bgremover/health_test.go TestHealthShowsACertificate"},
		"admin_client_key":  {shownBy: "cmd/bgremover/health_test.go TestHealthShowsACertificate"},

		"backend": {value: "fake", running: true, effect: func(_ *testing.T, p *probe) string { return p.engine.Backends.Active() }},
		"model": {value: "own", running: true, effect: func(t *testing.T, p *probe) string {
			return p.remove(t, cutout.Options{}).Run.Model
		}},
		"mode": {value: "fast", running: true, effect: func(_ *testing.T, p *probe) string {
			return p.photo("").Header().Get("X-Mode")
		}},
		"processing":   {value: "auto", effect: func(_ *testing.T, p *probe) string { return webSettings(p.live.Current(), forBrowsers()).Processing }},
		"device_sizes": {value: "1024", effect: func(_ *testing.T, p *probe) string { return webSettings(p.live.Current(), forBrowsers()).OnDevice.List }},
		"api_models":   {value: "isnet", effect: body("?model=none")},
		"api_backends": {value: "onnx-cpu", running: true, effect: answers("?backend=fake")},
		"max_upload":   {value: "1KiB", effect: answers("")},
		"max_pixels":   {value: "10", effect: answers("")},
		"max_side":     {value: "63", effect: answers("")},
		"max_photos":   {value: "1", effect: twoPhotos},
		"memory":       {value: "64MiB", with: map[string]string{"max_upload": "1MiB"}, effect: func(_ *testing.T, p *probe) string { return p.send("", plain(3000)).Result().Status }},
		"queue":        {value: "3", effect: untilFull},
		"workers":      {value: "4", effect: untilFull},
		"threads": {value: "2", effect: func(t *testing.T, p *probe) string {
			specs, err := backendSpecs(p.live.Current(), p.engine.Store)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(slices.Contains(specs[0].Env, "BGREMOVER_THREADS=2"))
		}},
		"timeout": {value: "1s", effect: func(t *testing.T, p *probe) string {
			occupy(t, p)
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			_, err := p.engine.Pipeline.Remove(ctx, cutout.Job{Upload: plain(64)})
			return fmt.Sprint(err != nil && ctx.Err() == nil)
		}},
		"idle_unload": {value: "1s", running: true, effect: func(t *testing.T, p *probe) string {
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			for {
				changed := p.engine.Backends.Changed()
				if p.engine.Backends.Snapshot()[1].State == "off" {
					return "off"
				}
				select {
				case <-changed:
				case <-ctx.Done():
					return "on"
				}
			}
		}},

		"limits_device":  {value: "7/1h", effect: header("/api/v1/cutouts", "Ratelimit-Policy")},
		"limits_network": {value: "70/1h", effect: header("/api/v1/cutouts", "Ratelimit-Policy")},
		"limits_routes":  {value: "/api/v1/cutouts=5/1h", effect: header("/api/v1/cutouts", "Ratelimit-Policy")},
		"limits_model_loads": {value: "1/1h", running: true, effect: func(_ *testing.T, p *probe) string {
			var all []string
			for range 2 {
				all = append(all, p.photo("?backend=onnx-cpu&model=own").Result().Status)
			}
			return strings.Join(all, ", ")
		}},
		"limits_overrides": {value: "198.51.100.7=block", effect: answers("")},
		"api_keys": {value: "me:" + ownKey + "=5/1h", effect: func(_ *testing.T, p *probe) string {
			return p.ask(http.MethodPost, "/api/v1/cutouts", nil, "Authorization", "Bearer k3y").Result().Status
		}},
		"redis_url": {value: "redis://127.0.0.1:1/0", effect: func(t *testing.T, p *probe) string {
			p.photo("")
			degraded, _ := p.limits.Degraded()
			return fmt.Sprint(degraded, found("/privacy", "in a store that several servers share")(t, p))
		}, with: map[string]string{"limits_device": "60/1h", "device_secret": secretText}},

		"log_level": {value: "debug", effect: func(t *testing.T, p *probe) string { return fmt.Sprint(p.log.Enabled(t.Context(), -4)) }},
		"log_format": {value: "json", effect: func(_ *testing.T, p *probe) string {
			p.log.Info("here")
			return fmt.Sprint(strings.Contains(p.said.String(), `"msg":"here"`))
		}},
		"access_log": {value: "off", effect: func(t *testing.T, p *probe) string {
			return fmt.Sprint(p.accessLine(t) != "", found("/privacy", "keeps no log of requests")(t, p), found("/privacy", "0 seconds")(t, p))
		}},
		"access_log_format": {value: "json", effect: func(t *testing.T, p *probe) string { return p.accessLine(t)[:1] }},
		"access_log_ip": {value: "none", effect: func(t *testing.T, p *probe) string {
			return fmt.Sprint(strings.Contains(p.accessLine(t), "198.51.100.7"), found("/privacy", "not your address")(t, p))
		}},
		"access_log_days":     {value: "7", effect: found("/privacy", "before it is 7 days old")},
		"access_log_day_size": {shownBy: "core/app/flood_test.go TestAFloodFillsNoDisk"},
		"access_log_gzip":     {value: "true", shownBy: "core/accesslog/retention_test.go TestFortyDays"},

		"cache_browser":     {value: "77s", effect: header("/", "Cache-Control")},
		"cache_edge":        {value: "77s", effect: header("/", "Cache-Control")},
		"cache_stale":       {value: "77s", effect: header("/", "Cache-Control")},
		"cache_stale_error": {value: "77s", effect: header("/", "Cache-Control")},

		"edge_varnish":          {value: "http://127.0.0.1:1", effect: edges},
		"edge_nginx":            {value: "http://127.0.0.1:1", effect: edges},
		"edge_cloudflare_zone":  {value: "zone", with: map[string]string{"edge_cloudflare_token": "token"}, effect: edges},
		"edge_cloudflare_token": {value: "token2", with: map[string]string{"edge_cloudflare_zone": "zone"}, effect: edges},
		"edge_fastly_service":   {value: "service", with: map[string]string{"edge_fastly_token": "token"}, effect: edges},
		"edge_fastly_token":     {value: "token2", with: map[string]string{"edge_fastly_service": "service"}, effect: edges},
	}
}

// TestSettings: a live setting takes effect at once on a reload, any other one only
// at the next start.
func TestSettings(t *testing.T) {
	all, defaults := rows(t), open(t, base(t), false)
	for _, v := range defaults.live.Current().Values() {
		r, listed := all[v.Key]
		delete(all, v.Key)
		t.Run(v.Key, func(t *testing.T) {
			t.Parallel()
			switch {
			case !listed:
				t.Fatal("a setting without a row here: show its effect")
			case r.shownBy != "":
				shown(t, r.shownBy)
				return
			}
			before, atStart, settings := r.seen(t, base(t)), r.seen(t, r.set(base(t), v.Key)), base(t)
			if before == atStart {
				t.Fatalf("%q has no effect at the next start: %q", r.value, before)
			}
			p := open(t, settings, r.running)
			p.write(t, r.set(settings, v.Key))
			report := p.live.Reload("test")
			if report.Err != nil || !slices.ContainsFunc(report.Changes, func(c config.Change) bool { return c.Key == v.Key && c.Restart != v.Live }) {
				t.Errorf("the reload reports %+v", report)
			}
			want := before
			if v.Live {
				want = atStart
			}
			if after := r.effect(t, p); after != want {
				t.Errorf("live %v: before %q, after a reload %q, at the next start %q", v.Live, before, after, atStart)
			}
		})
	}
	for key := range all {
		t.Errorf("there is no setting %s", key)
	}
}

func (r row) set(settings map[string]string, key string) map[string]string {
	for k, v := range r.with {
		settings[k] = v
	}
	settings[key] = r.value
	return settings
}

// seen is the effect of settings on a server that starts with them.
func (r row) seen(t *testing.T, settings map[string]string) string {
	p := open(t, settings, r.running)
	if p.App == nil {
		return "does not start"
	}
	return r.effect(t, p)
}

func shown(t *testing.T, where string) {
	file, name, _ := strings.Cut(where, " ")
	text, err := os.ReadFile(filepath.Join("..", "..", file))
	if err != nil || !strings.Contains(string(text), "func "+name+"(") {
		t.Errorf("there is no %s: %v", where, err)
	}
}
