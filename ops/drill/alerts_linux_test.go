package drill_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// scrape is a server's metrics at one time.
type scrape struct {
	at     time.Time
	values map[string]float64 // by series
}

func scraped(metrics string) scrape {
	all := scrape{time.Now(), map[string]float64{}}
	for line := range strings.Lines(metrics) {
		i := strings.LastIndexByte(line, ' ')
		if !strings.HasPrefix(line, "bgremover_") || i < 0 || strings.Contains(line, "_bucket{") {
			continue
		}
		if v, err := strconv.ParseFloat(strings.TrimSpace(line[i:]), 64); err == nil {
			all.values[line[:i]] = v
		}
	}
	return all
}

// episode is a fault as Prometheus would have seen it.
type episode struct {
	name          string
	before, after scrape
	alerts        []string // that must fire; none: that no alert fires
}

// series goes on with what the fault began: gauges stay, counters grow at their rate.
func (e episode) series() string {
	var b strings.Builder
	minutes := e.after.at.Sub(e.before.at).Minutes()
	for name, v := range e.after.values {
		metric, labels, _ := strings.Cut(strings.TrimSuffix(name, "}"), "{")
		if labels != "" {
			labels = "," + labels
		}
		step := ""
		switch {
		case strings.HasSuffix(metric, "_total"), strings.HasSuffix(metric, "_count"), strings.HasSuffix(metric, "_sum"):
			step = fmt.Sprintf("+%g", (v-e.before.values[name])/minutes)
		case strings.HasSuffix(metric, "_timestamp_seconds"):
			v -= float64(e.after.at.Unix()) // the test's time begins at 0
		}
		fmt.Fprintf(&b, "      - {series: %q, values: \"%g%sx60\"}\n", fmt.Sprintf(`%s{job="bgremover",instance="a"%s}`, metric, labels), v, step)
	}
	return b.String()
}

// fire has Prometheus's own tool evaluate the rules over the episodes.
func fire(t *testing.T, episodes []episode) {
	t.Helper()
	rules, err := filepath.Abs("../prometheus/bgremover.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "rule_files: [%q]\nevaluation_interval: 1m\ntests:\n", rules)
	for _, e := range episodes {
		fmt.Fprintf(&b, "  - name: %q\n    interval: 1m\n    input_series:\n%s    promql_expr_test:\n", e.name, e.series())
		for _, alert := range e.alerts {
			fmt.Fprintf(&b, "      - {expr: 'count(ALERTS{alertname=%q,alertstate=\"firing\"}) > bool 0', eval_time: 40m, exp_samples: [{labels: '{}', value: 1}]}\n", alert)
		}
		if len(e.alerts) == 0 {
			b.WriteString("      - {expr: 'count by (alertname) (ALERTS{alertstate=\"firing\"})', eval_time: 40m, exp_samples: []}\n")
		}
	}
	file := filepath.Join(t.TempDir(), "drill.yml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("promtool", "test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("promtool (see ops/testing/packages.txt): %v\n%s", err, out)
	}
}
