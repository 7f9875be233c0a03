package admin_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"

	"bgremover.pro/core/admin"
	"bgremover.pro/core/ratelimit"
)

// Only fields that differ are applied, tables become lists, and what was changed here
// can be undone.
func TestLimitsThatDiffer(t *testing.T) {
	o := start(t, admin.Access{})
	post := func(path string, form url.Values) answer { return o.ask("POST", path, form, htmx) }
	got := post("/limits", url.Values{"limits_device": {"60/1h"}, "limits_network": {"600/1h"}, "limits_overrides_who": {"198.51.100.7", "", "device:abcdefgh"},
		"limits_overrides_rate": {"off", "1/1h", " block"}, "limits_routes_who": {"/api/v1/cutouts"}, "limits_routes_rate": {"5/1h"}})
	c := o.live.Current()
	if got.status != 200 || len(c.Limits.Overrides) != 2 || !c.Limits.Overrides[1].Block || len(c.Limits.Routes) != 1 {
		t.Errorf("%d %+v", got.status, c.Limits.Rules)
	}
	if strings.Contains(got.body, `id="revert-limits_device"`) || !strings.Contains(got.body, `id="revert-limits_overrides"`) || !strings.Contains(got.body, `value="198.51.100.7/32"`) {
		t.Error("what is marked is not what was changed")
	}
	if got := post("/limits", url.Values{"limits_device": {"60/1h"}}); !strings.Contains(got.body, "Nothing has changed.") {
		t.Errorf("%s", got.body)
	}
	if got := post("/limits/revert", url.Values{"key": {"limits_overrides"}}); got.status != 200 || len(o.live.Current().Limits.Overrides) != 0 || len(o.live.Current().Limits.Routes) != 1 {
		t.Errorf("%d %+v", got.status, o.live.Current().Limits.Rules)
	}
	if got := post("/limits/revert", url.Values{"key": {"limits_device"}}); got.status != 422 {
		t.Errorf("what was not changed here: %d", got.status)
	}
	// What was changed before is saved as well, once that is asked for.
	if got := post("/limits", url.Values{"limits_routes_who": {"/api/v1/cutouts"}, "limits_routes_rate": {"5/1h"}, "persist": {"yes"}}); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if text, err := os.ReadFile(o.file); err != nil || !strings.Contains(string(text), `limits_routes = "/api/v1/cutouts=5/1h"`) {
		t.Errorf("%q %v", text, err)
	}
	// A table that holds a mistake is shown as it was typed.
	if got := post("/limits", url.Values{"limits_overrides_who": {"somewhere"}, "limits_overrides_rate": {"off"}}); got.status != 422 || !strings.Contains(got.body, `value="somewhere"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// A preview names those who would be refused now, and changes nothing.
func TestPreviewOfLimits(t *testing.T) {
	o := start(t, admin.Access{}, "BGREMOVER_API_KEYS=shop:"+strings.Repeat("ab", 32)+"=10/1h")
	send := func(device string, photos int) {
		o.limiter.Charge(t.Context(), ratelimit.Key{Device: device, Addr: netip.MustParseAddr("198.51.100.7")}, photos)
	}
	send("busy", 20)
	send("calm", 2)
	send("full", 60)
	o.limiter.Charge(t.Context(), ratelimit.Key{Program: "shop"}, 4)
	type preview struct {
		Senders, Already  int
		Refused, Admitted []string
		Address           string
	}
	for _, c := range []struct {
		form    url.Values
		want    preview
		address string
	}{
		{url.Values{}, preview{Senders: 4, Already: 1}, ""},
		{url.Values{"limits_device": {"10/1h"}}, preview{Senders: 4, Already: 1, Refused: []string{"busy"}}, ""},
		{url.Values{"limits_device": {"100/1h"}}, preview{Senders: 4, Admitted: []string{"full"}}, ""},
		{url.Values{"limits_device": {"10/1m"}}, preview{Senders: 4, Admitted: []string{"full"}}, ""}, // another period starts a new count
		{url.Values{"limits_overrides": {"device:calm=block"}}, preview{Senders: 4, Already: 1, Refused: []string{"calm"}}, ""},
		{url.Values{"limits_network": {"70/1h"}, "address": {"198.51.100.7"}}, preview{Senders: 4, Already: 1}, "198.51.100.7 would be refused."},
		{url.Values{"limits_overrides": {"198.51.100.0/24=block"}, "address": {"198.51.100.7"}}, preview{Senders: 4, Already: 1}, "198.51.100.7 would be blocked."},
		{url.Values{"address": {"203.0.113.1"}}, preview{Senders: 4, Already: 1}, "203.0.113.1 would have 600 of 600 photos left."},
	} {
		got := o.ask("POST", "/limits/preview", c.form)
		var p preview
		if err := json.Unmarshal([]byte(got.body), &p); err != nil || p.Senders != c.want.Senders || p.Already != c.want.Already ||
			strings.Join(p.Refused, " ") != strings.Join(c.want.Refused, " ") || strings.Join(p.Admitted, " ") != strings.Join(c.want.Admitted, " ") || p.Address != c.address {
			t.Errorf("%v: %s", c.form, got.body)
		}
	}
	if got := o.live.Current().Limits; got.Device.Count != 60 || len(got.Overrides) != 0 {
		t.Errorf("the preview has changed %+v", got.Rules)
	}
	for name, form := range map[string]url.Values{"rate": {"limits_device": {"many"}}, "address": {"address": {"here"}}} {
		if got := o.ask("POST", "/limits/preview", form, htmx); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `class="failed"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := o.ask("POST", "/limits/preview", url.Values{"limits_device": {"10/1h"}}, browser); !strings.Contains(got.body, "<html") || !strings.Contains(got.body, "<strong>1</strong> of 4 recent senders") ||
		!strings.Contains(got.body, `value="10/1h"`) {
		t.Errorf("without scripts: %d", got.status)
	}
}

// The configuration says what waits for a restart, and what still holds until then.
func TestConfigurationThatWaits(t *testing.T) {
	o := start(t, admin.Access{})
	o.write("threads = 3\nlimits_device = \"9/1m\"\n" + other)
	got := o.ask("POST", "/config/reload", nil, htmx)
	if !strings.Contains(got.body, "restart needed</strong> <span class=\"soft\">still <code>0</code>") || !strings.Contains(got.body, "1 wait for a restart") {
		t.Error("threads do not wait for a restart")
	}
	if strings.Count(got.body, "restart needed") != 1 || strings.Count(got.body, `class="group"`) != 7 {
		t.Errorf("%d settings wait, in %d groups", strings.Count(got.body, "restart needed"), strings.Count(got.body, `class="group"`))
	}
}
