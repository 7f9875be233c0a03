// Package prometheus_test checks the alerts, the dashboard and the runbook
// against the metrics that the server really exposes.
package prometheus_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	grafana "github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

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
	for _, panel := range dashboard(t).Panels {
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

// TestMetricsAreWellFormed runs Prometheus's own linter on them.
func TestMetricsAreWellFormed(t *testing.T) {
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(metrics(t))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// board is the checked part of the dashboard.
type board struct {
	SchemaVersion int
	Templating    struct{ List []struct{ Name, Type string } }
	Panels        []struct {
		ID          int
		Type, Title string
		Datasource  struct{ Type, UID string }
		GridPos     struct{ X, Y, W, H int }
		Targets     []struct{ Expr, RefID string }
	}
}

func dashboard(t *testing.T) (b board) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, "../grafana/bgremover.json")), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDashboard has Prometheus parse every expression, with values for Grafana's
// variables, and checks what Grafana needs in a panel: a unique id and place, the
// selected data source, and names for its queries.
func TestDashboard(t *testing.T) {
	d := dashboard(t)
	variables := []string{"__rate_interval"}
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
	}
	rules, ids, cells := "groups:\n- name: dashboard\n  rules:\n", map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 || p.Title == "" || p.Type == "" || len(p.Targets) == 0 || p.Datasource.UID != "${source}" {
			t.Errorf("panel %d %q: its id is taken, or it lacks a title, a type, a query or the source", p.ID, p.Title)
		}
		ids[p.ID] = true
		for y := range p.GridPos.H {
			for x := range p.GridPos.W {
				cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := cells[cell]; other != "" || cell[0] >= 24 {
					t.Fatalf("%q lies over %q, or beyond the edge", p.Title, other)
				}
				cells[cell] = p.Title
			}
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if refs[target.RefID] || target.RefID == "" {
				t.Errorf("%q: query %q is not the only one of that name", p.Title, target.RefID)
			}
			refs[target.RefID] = true
			for _, used := range find(target.Expr, `\$\{?(\w+)`) {
				if !slices.Contains(variables, used) {
					t.Errorf("%q asks for the variable %s, which is not defined", p.Title, used)
				}
			}
			expr := strings.NewReplacer("$__rate_interval", "1m", "$instance", ".*").Replace(target.Expr)
			rules += fmt.Sprintf("  - record: panel_%d:%s\n    expr: %q\n", p.ID, strings.ToLower(target.RefID), expr)
		}
	}
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("promtool", "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("promtool check rules, on the dashboard's queries: %v\n%s\n%s", err, out, rules)
	}
	if len(ids) < 10 || d.SchemaVersion < 36 {
		t.Errorf("%d panels, schema %d", len(ids), d.SchemaVersion)
	}
}

// TestDashboardKeepsTheSchema has Grafana's own model of a dashboard read it: every field
// is known, of the right type, and those that are required are there.
func TestDashboardKeepsTheSchema(t *testing.T) {
	known := cog.NewRuntime()
	known.RegisterPanelcfgVariant(stat.VariantConfig())
	known.RegisterPanelcfgVariant(timeseries.VariantConfig())
	known.RegisterDataqueryVariant(prometheus.VariantConfig())
	var d grafana.Dashboard //nolint:staticcheck // SA1019: version 1 is what files and older releases of Grafana have
	// Its errors are lists, which may be empty.
	for _, err := range []error{d.UnmarshalJSONStrict([]byte(read(t, "../grafana/bgremover.json"))), d.Validate()} {
		if err != nil && err.Error() != "" {
			t.Error(err)
		}
	}
	if len(d.Panels) < 10 {
		t.Errorf("%d panels", len(d.Panels))
	}
	wrong := strings.Replace(read(t, "../grafana/bgremover.json"), `"colorMode"`, `"colourMode"`, 1)
	if err := d.UnmarshalJSONStrict([]byte(wrong)); err == nil || !strings.Contains(err.Error(), "colourMode") {
		t.Error("a misspelt field passes")
	}
}

// metrics returns the metrics of a server that has handled some of everything.
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
	m.Watch(admin.Sources{Backends: backends{}, Queue: func() admin.Queue { return admin.Queue{} }, Ready: func() error { return nil }, Limiter: limiter, AccessLog: log,
		Folders: []string{dir}, Damaged: func() error { return nil },
		Certificates: func() []admin.Certificate { return []admin.Certificate{{Listener: "public", Expires: time.Now()}} }})
	m.Request(accesslog.Request{Route: "/device/cutouts"})
	m.Photo(&cutout.Result{Timings: []cutout.Timing{{Stage: cutout.Infer}}}, nil)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

type backends struct{ admin.Backends }

func (backends) Snapshot() []cutout.BackendStatus {
	return []cutout.BackendStatus{{Name: "onnx-cpu", State: "ready"}}
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
