package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"bgremover.pro/core/admin"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/ratelimit"
)

func TestThePageShowsWhatRuns(t *testing.T) {
	o := start(t, admin.Access{}, "BGREMOVER_LIMITS_NETWORK=600/1h", "BGREMOVER_ADMIN_TOKEN=0123456789abcdef-secret")
	o.limiter.Charge(t.Context(), ratelimit.Key{Device: "abcdefgh", Addr: netip.MustParseAddr("192.0.2.1")}, 3)
	page := o.ask("GET", "/", nil)
	for _, want := range []string{
		"1.2.3", "onnx-cpu on cpu, isnet", "1 of 2 workers busy, 3 of 32 waiting", "no CUDA device is there", "abcdefgh",
		"30 days", "not checked", "limits_device", "file bgremover.toml, line 1", "environment BGREMOVER_LIMITS_NETWORK", "locked", "&lt;script&gt;",
	} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if page.status != http.StatusOK || strings.Contains(page.body, "-secret") || strings.Contains(page.body, "<script>alert") {
		t.Errorf("status %d, or a secret or a script on the page", page.status)
	}
	if csp := page.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self'") ||
		strings.Contains(csp, "unsafe") || page.header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("headers = %v", page.header)
	}
	for _, inline := range []string{"<script>", "<style", " style=", " onclick=", "javascript:"} {
		if strings.Contains(page.body, inline) {
			t.Errorf("the page has %q, which its policy forbids", inline)
		}
	}
	for _, part := range []string{"status", "charts", "backends", "devices", "log"} {
		if got := o.ask("GET", "/part/"+part, nil); got.status != http.StatusOK || !strings.Contains(got.body, `id="`+part+`"`) {
			t.Errorf("part %s: %d", part, got.status)
		}
	}
	if got := o.ask("GET", "/part/nothing", nil); got.status != http.StatusNotFound {
		t.Errorf("status = %d", got.status)
	}
}

func TestHealth(t *testing.T) {
	o := start(t, admin.Access{Token: "0123456789abcdef"})
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/": 401, "/metrics": 401, "/debug/pprof/": 401} {
		if got := o.ask("GET", path, nil); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	why := errors.New("no backend is ready: /opt/secret.so is missing")
	o.notReady.Store(&why)
	operator := with("Authorization", "Bearer 0123456789abcdef")
	for _, accept := range []string{"", "application/json"} {
		if got := o.ask("GET", "/readyz", nil, with("Accept", accept)); got.status != 503 || strings.Contains(got.body, "secret.so") || !strings.Contains(got.body, "token") {
			t.Errorf("a stranger gets %+v", got)
		}
		if got := o.ask("GET", "/readyz", nil, with("Accept", accept), operator); got.status != 503 || !strings.Contains(got.body, "secret.so is missing") {
			t.Errorf("the operator gets %+v", got)
		}
	}
}

// TestOpenMetrics: a plain local request reads them, a page of another site
// that has its name point here does not, and everything else requires the token.
func TestOpenMetrics(t *testing.T) {
	o := start(t, admin.Access{Token: "0123456789abcdef", OpenMetrics: true})
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/": 401, "/backends.json": 401, "/part/status": 401, "/debug/pprof/": 401} {
		if got := o.ask("GET", path, nil); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	if got := o.ask("POST", "/backends/active", url.Values{"name": {"other"}}); got.status != 401 {
		t.Errorf("a switch without the token: %d", got.status)
	}
	evil := func(r *http.Request) { r.Host = "evil.example:9090" }
	if got := o.ask("GET", "/metrics", nil, evil); got.status != 401 || strings.Contains(got.body, "bgremover_") {
		t.Errorf("a foreign name: %d", got.status)
	}
	if got := o.ask("GET", "/metrics", nil, evil, with("Authorization", "Bearer 0123456789abcdef")); got.status != 200 {
		t.Errorf("a foreign name with the token: %d", got.status)
	}
}

// TestGuessingIsSlow: of a thousand tokens guessed at once, ten are examined,
// the right one among the others does not help, and no token costs nothing.
func TestGuessingIsSlow(t *testing.T) {
	const token = "0123456789abcdef"
	o := start(t, admin.Access{Token: token})
	for range 50 {
		if got := o.ask("GET", "/", nil); got.status != 401 {
			t.Fatalf("without a token: %d", got.status)
		}
		if got := o.ask("GET", "/backends.json", nil, with("Authorization", "Bearer "+token)); got.status != 200 {
			t.Fatalf("the right token: %d", got.status)
		}
	}
	var looked, slowed atomic.Int32
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for j := range 50 {
				path := []string{"/", "/metrics"}[j%2]
				switch got := o.ask("GET", path, nil, with("Authorization", fmt.Sprintf("Bearer guess-%d-%d", i, j))); got.status {
				case 401:
					looked.Add(1)
				case 429:
					if slowed.Add(1); got.header.Get("Retry-After") == "" {
						t.Error("no Retry-After")
					}
				default:
					t.Errorf("a guess: %d", got.status)
				}
			}
		})
	}
	all.Wait()
	if looked.Load() != 10 || slowed.Load() != 990 {
		t.Errorf("%d examined, %d slowed down", looked.Load(), slowed.Load())
	}
	if got := o.ask("GET", "/", nil, with("Authorization", "Bearer "+token)); got.status != 429 {
		t.Errorf("a guess that is right: %d", got.status)
	}
	if got := o.ask("GET", "/healthz", nil); got.status != 200 {
		t.Errorf("health meanwhile: %d", got.status)
	}
}

func TestWhoIsLetIn(t *testing.T) {
	o := start(t, admin.Access{Token: "0123456789abcdef"})
	basic := func(password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth("anyone", password) }
	}
	for name, c := range map[string]struct {
		edit func(*http.Request)
		want int
	}{
		"bearer":       {with("Authorization", "Bearer 0123456789abcdef"), 200},
		"password":     {basic("0123456789abcdef"), 200},
		"wrong bearer": {with("Authorization", "Bearer 0123456789abcdeX"), 401},
		"wrong":        {basic("0123456789abcde"), 401},
		"empty":        {with("Authorization", "Bearer "), 401},
		"none":         {func(*http.Request) {}, 401},
	} {
		if got := o.ask("GET", "/backends.json", nil, c.edit); got.status != c.want {
			t.Errorf("%s: %d, want %d", name, got.status, c.want)
		}
	}
}

func TestForeignPagesGetNothing(t *testing.T) {
	o := start(t, admin.Access{})
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }
	for h, want := range map[string]int{"evil.example": 421, "evil.example:9090": 421, "localhost:9090": 200, "127.0.0.1": 200, "[::1]:9090": 200, "op.localhost": 200, "": 200} {
		if got := o.ask("GET", "/", nil, host(h)); got.status != want {
			t.Errorf("Host %q: %d, want %d", h, got.status, want)
		}
	}
	form := url.Values{"limits_device": {"1/1h"}}
	for name, edit := range map[string]func(*http.Request){
		"cross-site":  with("Sec-Fetch-Site", "cross-site"),
		"same-site":   with("Sec-Fetch-Site", "same-site"),
		"old browser": with("Origin", "http://evil.example"),
		"null":        with("Origin", "null"),
	} {
		if got := o.ask("POST", "/limits", form, edit); got.status != 403 || o.live.Current().Limits.Device.Count != 60 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if got := o.ask("GET", "/limits?limits_device=1/1h", nil); got.status != 405 {
		t.Errorf("GET /limits: %d", got.status)
	}
}

func TestOpenAddressesAreRefused(t *testing.T) {
	for _, address := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:9090"} {
		_, err := admin.New(admin.Options{Listen: address, Metrics: admin.NewMetrics(admin.Build{})})
		if err == nil || !strings.Contains(err.Error(), "token or a client certificate") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestLimitsForm(t *testing.T) {
	o := start(t, admin.Access{}, "BGREMOVER_LIMITS_NETWORK=600/1h")
	post := func(form url.Values, edit func(*http.Request)) answer { return o.ask("POST", "/limits", form, edit) }

	got := post(url.Values{"limits_device": {"5/1m"}, "limits_overrides": {"198.51.100.7=off"}}, htmx)
	if got.status != 200 || !strings.Contains(got.body, "until the next start") || strings.Contains(got.body, "<html") {
		t.Errorf("%d %s", got.status, got.body)
	}
	c := o.live.Current()
	if c.Limits.Device.Count != 5 || len(c.Limits.Overrides) != 1 {
		t.Errorf("limits = %+v", c.Limits)
	}
	if content, _ := os.ReadFile(o.file); !strings.Contains(string(content), "60/1h") {
		t.Errorf("the file was changed: %s", content)
	}
	if got := post(url.Values{"limits_device": {"7/1m"}, "persist": {"yes"}}, browser); got.status != http.StatusSeeOther || got.header.Get("Location") != "/#limits" {
		t.Errorf("%d %v", got.status, got.header)
	}
	if content, _ := os.ReadFile(o.file); string(content) != "limits_device = \"7/1m\"\n"+other {
		t.Errorf("the file holds %q", content)
	}
	for name, form := range map[string]url.Values{
		"nonsense":      {"limits_device": {"<b>lots</b>"}},
		"locked":        {"limits_network": {"1/1h"}},
		"contradictory": {"limits_device": {"9999/1m"}, "persist": {"yes"}},
	} {
		if got := post(form, htmx); got.status != 422 || !strings.Contains(got.body, `role="alert"`) || strings.Contains(got.body, "<b>") || o.live.Current().Limits.Device.Count != 7 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := post(url.Values{"limits_device": {"what"}}, browser); got.status != 422 || !strings.Contains(got.body, "<html") || !strings.Contains(got.body, `value="what"`) {
		t.Errorf("without htmx: %d", got.status)
	}
	if got := post(url.Values{"limits_device": {strings.Repeat("9", 1<<17)}}, htmx); got.status != 422 {
		t.Errorf("a form of 128 KiB: %d", got.status)
	}
}

func TestBackends(t *testing.T) {
	o := start(t, admin.Access{})
	post := func(name string, edit ...func(*http.Request)) answer {
		return o.ask("POST", "/backends/active", url.Values{"name": {name}}, edit...)
	}
	script := post("other")
	var all []cutout.BackendStatus
	if err := json.Unmarshal([]byte(script.body), &all); err != nil || script.status != 200 || !all[2].Serving || all[0].Serving {
		t.Errorf("%+v: %v", script, err)
	}
	if o.live.Current().Inference.Backend != "other" {
		t.Error("the configuration names a backend other than the serving one")
	}
	if got := o.ask("GET", "/backends.json", nil); got.status != 200 || !strings.HasPrefix(got.body, `[{"name":"onnx-cpu"`) {
		t.Errorf("%+v", got)
	}
	if got := post("onnx-cpu", htmx); got.status != 200 || !strings.Contains(got.body, "Switched to onnx-cpu") || o.live.Current().Inference.Backend != "onnx-cpu" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := post("onnx-cuda", htmx); got.status != 503 || !strings.Contains(got.body, "no CUDA device is there. Still serving: onnx-cpu") || o.live.Current().Inference.Backend != "onnx-cpu" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := post("nothing"); got.status != 400 || got.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(got.body, `"detail":"nothing is none of`) {
		t.Errorf("%+v", got)
	}
	if got := post("", browser); got.status != 400 || !strings.Contains(got.body, "<html") {
		t.Errorf("%d", got.status)
	}
}

func TestDevices(t *testing.T) {
	o := start(t, admin.Access{})
	key := ratelimit.Key{Device: "abcdefgh", Addr: netip.MustParseAddr("192.0.2.1")}
	passes := func() bool { return o.limiter.Charge(t.Context(), key, 1).Allowed }
	o.limiter.Charge(t.Context(), key, 60)
	if passes() {
		t.Fatal("the limit is not reached")
	}
	for _, step := range []struct {
		action string
		want   bool
	}{{"clear", true}, {"block", false}, {"unblock", true}} {
		got := o.ask("POST", "/devices/"+step.action, url.Values{"device": {"abcdefgh"}}, htmx)
		if got.status != 200 || passes() != step.want || !strings.Contains(got.body, "abcdefgh") {
			t.Errorf("%s: %d %s", step.action, got.status, got.body)
		}
	}
	if got := o.ask("POST", "/devices/block", url.Values{}, htmx); got.status != 400 {
		t.Errorf("no device: %d", got.status)
	}
	if got := o.ask("POST", "/devices/praise", url.Values{"device": {"x"}}, htmx); got.status != 404 {
		t.Errorf("no such action: %d", got.status)
	}
}

func TestReload(t *testing.T) {
	o := start(t, admin.Access{})
	o.write("limits_device = \"9/1m\"\n")
	if got := o.ask("POST", "/config/reload", nil, htmx); got.status != 200 || !strings.Contains(got.body, "before &#34;60/1h&#34;") {
		t.Errorf("%d %s", got.status, got.body)
	}
	o.write("limits_device = \"9/1m\"\nqueeue = 3\n")
	got := o.ask("POST", "/config/reload", nil, htmx)
	if got.status != 422 || !strings.Contains(got.body, "did you mean queue?") || o.live.Current().Limits.Device.Count != 9 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestPurge(t *testing.T) {
	o := start(t, admin.Access{})
	if got := o.ask("GET", "/", nil); !strings.Contains(got.body, `action="/edge/purge"`) {
		t.Error("the page has no button")
	}
	if got := o.ask("POST", "/edge/purge", nil, htmx); got.status != 200 || !strings.Contains(got.body, "Purged: Varnish.") {
		t.Errorf("%d %s", got.status, got.body)
	}
	why := errors.New("Varnish does not answer")
	o.noEdge.Store(&why)
	if got := o.ask("POST", "/edge/purge", nil, htmx); got.status != 502 || !strings.Contains(got.body, why.Error()) {
		t.Errorf("%d %s", got.status, got.body)
	}
}
