// Package prometheus_test holds the alerts, the dashboard and the runbook to
// the metrics that the server really has.
package prometheus_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/admin"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/ratelimit"
)

func TestRules(t *testing.T) {
	for _, args := range [][]string{{"check", "rules", "bgremover.rules.yml"}, {"check", "config", "prometheus.yml"}, {"test", "rules", "bgremover.rules.test.yml"}} {
		if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v (see ops/testing/packages.txt): %v\n%s", args, err, out)
		}
	}
}

func TestEveryAlertHasItsEntryAndItsTest(t *testing.T) {
	rules, runbook, tests := read(t, "bgremover.rules.yml"), read(t, "../runbook.md"), read(t, "bgremover.rules.test.yml")
	alerts := find(rules, `- alert: (\w+)`)
	if len(alerts) < 10 {
		t.Fatalf("alerts = %v", alerts)
	}
	for _, alert := range alerts {
		if !strings.Contains(runbook, "\n## "+alert+"\n") {
			t.Errorf("the runbook has no entry for %s", alert)
		}
		if !strings.Contains(rules, "runbook.md#"+strings.ToLower(alert)+"\n") {
			t.Errorf("%s does not lead to its entry", alert)
		}
		if !strings.Contains(tests, "alertname: "+alert+"\n        exp_alerts:") {
			t.Errorf("no test makes %s fire", alert)
		}
	}
	if entries := find(runbook, `(?m)^## (\w+)$`); !slices.Equal(slices.Sorted(slices.Values(entries)), slices.Sorted(slices.Values(alerts))) {
		t.Errorf("the runbook has entries %v", entries)
	}
}

func TestEveryMetricThatIsAskedForExists(t *testing.T) {
	exposed := metrics(t)
	name := `\b((?:bgremover|process|go)_[a-z_]+)\b`
	var asked []string
	for _, rule := range find(read(t, "bgremover.rules.yml"), `(?s)expr: (.*?)\n +(?:for|labels|- record|- alert)`) {
		asked = append(asked, find(rule, name)...)
	}
	var dashboard struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "../grafana/bgremover.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			asked = append(asked, find(target.Expr, name)...)
		}
	}
	if len(asked) < 40 {
		t.Fatalf("only %d metrics are asked for", len(asked))
	}
	for _, metric := range asked {
		if !strings.Contains(exposed, "\n"+metric+"{") && !strings.Contains(exposed, "\n"+metric+" ") {
			t.Errorf("there is no metric %s", metric)
		}
	}
}

// metrics is what a server says that has seen a bit of everything.
func metrics(t *testing.T) string {
	t.Helper()
	m := admin.NewMetrics(admin.Build{})
	limiter, err := ratelimit.New(ratelimit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/"+time.Now().UTC().Format("access.20060102.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := accesslog.New(accesslog.Options{Mode: "file", Dir: dir, Settings: accesslog.Settings{Format: "json", IP: "none", Days: 30}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close(t.Context()) })
	m.Watch(admin.Sources{Backends: backends{}, Queue: func() admin.Queue { return admin.Queue{} }, Ready: func() error { return nil }, Limiter: limiter, AccessLog: log})
	m.Request(admin.Request{Route: "/device/cutouts"})
	m.Photo(&cutout.Result{Timings: []cutout.Timing{{Stage: cutout.Infer}}}, nil)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

type backends struct{ admin.Backends }

func (backends) Snapshot() []admin.Backend {
	return []admin.Backend{{Name: "onnx-cpu", State: "ready"}}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func find(text, pattern string) (all []string) {
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, match[1])
	}
	return all
}
