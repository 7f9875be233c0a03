package ratelimit

import (
	"strconv"
	"testing"
	"time"

	"github.com/dunglas/httpsfv"
)

// TestHeaders reads them as a client does: as structured fields (RFC 9651).
func TestHeaders(t *testing.T) {
	c := start()
	l := make1(t, Options{Rules: Rules{Device: Rate{2, time.Hour}, Network: Rate{10, 2 * time.Hour}}, Now: c.Now})
	key := Key{Device: "a", Addr: addr("192.0.2.1")}
	l.Charge(t.Context(), key, 1)
	c.pass(90 * time.Second)
	l.Charge(t.Context(), key, 1)
	h := headers(l.Charge(t.Context(), key, 1), true)

	policy := parse(t, h["RateLimit-Policy"])
	if policy["device"] != [2]int64{2, 3600} || policy["network"] != [2]int64{10, 7200} {
		t.Errorf("policy = %v", policy)
	}
	state := parse(t, h["RateLimit"])
	if state["device"] != [2]int64{0, 3511} && state["device"] != [2]int64{0, 3510} {
		t.Errorf("state = %v", state)
	}
	if state["network"][0] != 8 {
		t.Errorf("state = %v", state)
	}
	retry, err := strconv.ParseInt(h["Retry-After"], 10, 64)
	if err != nil || retry < state["device"][1] {
		t.Errorf("Retry-After = %q is before the window's end", h["Retry-After"])
	}
	if h["X-RateLimit-Limit"] != "2" || h["X-RateLimit-Remaining"] != "0" || h["X-RateLimit-Reset"] != h["Retry-After"] {
		t.Errorf("headers = %v", h)
	}
	if h := headers(l.Peek(t.Context(), Key{Device: "b", Addr: addr("192.0.2.1")}), false); h["Retry-After"] != "" || h["X-RateLimit-Limit"] != "" {
		t.Errorf("headers of an allowed page request = %v", h)
	}
}

func headers(d Decision, forProgram bool) map[string]string {
	all := map[string]string{}
	for _, h := range d.Headers(forProgram) {
		all[h.Name] = h.Value
	}
	return all
}

// parse reads a list of strings with two integer parameters each.
func parse(t *testing.T, value string) map[string][2]int64 {
	t.Helper()
	list, err := httpsfv.UnmarshalList([]string{value})
	if err != nil {
		t.Fatalf("%q: %v", value, err)
	}
	all := map[string][2]int64{}
	for _, member := range list {
		item := member.(httpsfv.Item)
		var numbers [2]int64
		for i, name := range item.Params.Names() {
			v, _ := item.Params.Get(name)
			numbers[i] = v.(int64)
		}
		all[item.Value.(string)] = numbers
	}
	return all
}
