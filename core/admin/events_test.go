package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/accesslog"
	"bgremover.pro/core/admin"
	"bgremover.pro/core/cutout"
)

// The latest errors are listed, the newest first, and only so many and so long ones.
func TestLatestErrors(t *testing.T) {
	o := start(t, admin.Access{})
	list := func() (all []admin.Failure) {
		t.Helper()
		answer := o.ask("GET", "/errors.json", nil)
		if err := json.Unmarshal([]byte(answer.body), &all); err != nil || all == nil {
			t.Fatal(err, answer.body)
		}
		return all
	}
	if all := list(); len(all) != 0 {
		t.Errorf("at the start: %+v", all)
	}
	for i := range 250 {
		o.server.Failed(accesslog.Request{Time: time.Now(), ID: fmt.Sprint("request-", i), Route: "/api/v1/cutouts", Status: 500, Code: "internal",
			Err: errors.New("<b>the model failed</b>" + strings.Repeat("é", 1000))})
	}
	all := list()
	if len(all) != 200 || all[0].Request != "request-249" || all[199].Request != "request-50" || len([]rune(all[0].Cause)) > 501 {
		t.Errorf("%d: %+v", len(all), all[0])
	}
	o.server.Failed(accesslog.Request{Err: cutout.Wrap(cutout.BackendUnavailable, errors.New("broken: it exited with status 3"), "Please try again later.")})
	if got := list()[0].Cause; got != "broken: it exited with status 3" {
		t.Errorf("the cause is %q", got)
	}
	page := o.ask("GET", "/", nil).body
	if !strings.Contains(page, "request-249") || strings.Contains(page, "request-49<") || strings.Contains(page, "<b>the model") {
		t.Error("the page does not show them, or not as text")
	}
}

// What the operator does, and the photos of the day, are listed.
func TestWhatHappened(t *testing.T) {
	o := start(t, admin.Access{})
	o.ask("POST", "/limits", url.Values{"limits_device": {"7/1h"}})
	o.ask("POST", "/backends/active", url.Values{"name": {"onnx-cuda"}})
	o.metrics.Photo(&cutout.Result{}, nil)
	o.metrics.Photo(nil, cutout.Errorf(cutout.Timeout, "too slow"))
	o.server.TakePoint()
	o.server.FillHistory()
	part := o.ask("GET", "/part/events", nil).body
	for _, says := range []string{"change of limits", "switch to backend onnx-cuda <strong class=\"state failed\">failed", "1 ok, 1 timeout"} {
		if !strings.Contains(part, says) {
			t.Errorf("it does not say %q: %s", says, part)
		}
	}
	var status struct {
		Ready   bool
		Photos  map[string]int64 `json:"photos_today"`
		Figures map[string]map[string]float64
	}
	if err := json.Unmarshal([]byte(o.ask("GET", "/status.json", nil).body), &status); err != nil || !status.Ready || status.Photos["timeout"] != 1 ||
		status.Figures["Memory"]["server"] <= 0 || len(status.Figures["Request time per photo"]) != 3 {
		t.Errorf("%+v, %v", status, err)
	}
	if refused := o.ask("POST", "/limits", url.Values{"limits_device": {"many"}}); refused.status != 422 || !strings.Contains(refused.body, `"detail"`) {
		t.Errorf("a program gets %+v", refused)
	}
}

// TestAuditTrail: each action of the operator is a line, with names and keys but no
// address and no text without end.
func TestAuditTrail(t *testing.T) {
	o := start(t, admin.Access{})
	o.ask("POST", "/limits", url.Values{"limits_device": {"7/1h"}, "limits_overrides": {"198.51.100.7=block"}})
	o.ask("POST", "/limits", url.Values{"limits_overrides": {"198.51.100.7=sometimes"}})
	o.ask("POST", "/devices/block", url.Values{"device": {"abcdefgh"}}, htmx)
	o.ask("POST", "/backends/active", url.Values{"name": {strings.Repeat("long\n", 1000)}})
	o.ask("POST", "/models/derive", url.Values{"name": {"portrait"}})
	o.ask("POST", "/try", url.Values{})
	o.ask("POST", "/config/reload", nil, htmx)
	lines := strings.Split(strings.TrimSpace(o.audit.read()), "\n")
	wants := []string{"change of limits: limits_device, limits_overrides", "change of limits: limits_overrides", "block device abcdefgh", "switch to backend long",
		"derive model portrait", "test photo on the default with the default", "reload of the configuration"}
	if len(lines) != len(wants) {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, want := range wants {
		var a admin.Action
		if err := json.Unmarshal([]byte(lines[i]), &a); err != nil || !strings.HasPrefix(a.What, want) || a.Failed != (i == 1 || i == 3) || a.Time.IsZero() || len(lines[i]) > 1000 {
			t.Errorf("line %d: %q, %v", i, lines[i], err)
		}
	}
	if strings.Contains(o.audit.read(), "198.51") {
		t.Error("an address is in the audit trail")
	}
	if got := o.ask("GET", "/actions.json", nil); !strings.HasPrefix(got.body, `[{"time":`) || strings.Count(got.body, `"action"`) != len(wants) {
		t.Errorf("%+v", got)
	}
}
