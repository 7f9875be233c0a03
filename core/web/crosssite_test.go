package web

import (
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/ratelimit"
)

// A page of another site may call the interfaces for programs with one of the operator's
// keys, and spends nothing of its visitors without one.
func TestPagesOfOtherSites(t *testing.T) {
	key := ratelimit.APIKey{Name: "shop", SHA256: sha256Of("k3y"), Rate: ratelimit.Rate{Count: 100, Period: time.Hour}}
	device := ratelimit.Rate{Count: 9, Period: time.Hour}
	s := start(t, placing(nil), limited(ratelimit.Rules{Device: device, Keys: []ratelimit.APIKey{key}}))
	from := func(site, given string) []string {
		h := []string{"Origin", "https://" + site + ".example", "Sec-Fetch-Site", "cross-site"}
		if given != "" {
			h = append(h, "X-Api-Key", given)
		}
		return h
	}
	calls := map[string]func(header ...string) reply{
		api: func(h ...string) reply { return s.do("POST", api, strings.NewReader("photo"), h...) },
		removeBGPath: func(h ...string) reply {
			return s.post(removeBGPath, newForm().fileIn("image_file", "a", "photo"), h...)
		},
		"/v1.0/account": func(h ...string) reply { return s.get("/v1.0/account", h...) },
		rembgPath:       func(h ...string) reply { return s.post(rembgPath, newForm().fileIn("file", "a", "photo"), h...) },
	}
	if len(calls) != len(programPaths) {
		t.Errorf("%d of %v are called", len(calls), programPaths)
	}
	asked := []string{"Origin", "https://shop.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers"}
	for path, call := range calls {
		for _, header := range []string{"x-api-key", "authorization,content-type"} {
			r := s.do("OPTIONS", path, nil, append(asked, header)...)
			if r.status != 204 || r.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(r.header.Get("Access-Control-Allow-Headers"), "Authorization, *") ||
				r.header.Get("Access-Control-Allow-Methods") == "" || r.header.Get("Access-Control-Allow-Credentials") != "" || r.header.Get("Cache-Control") != "private, no-store" {
				t.Errorf("%s: a page may ask: %d %v", path, r.status, r.header)
			}
		}
		for what, r := range map[string]reply{
			"without a key":     s.do("OPTIONS", path, nil, append(asked, "content-type")...),
			"no page's request": s.do("OPTIONS", path, nil, "Access-Control-Request-Headers", "x-api-key"),
		} {
			if r.status != 405 || r.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s, %s: %d %v", path, what, r.status, r.header)
			}
		}
		good := call(from("shop", "k3y")...)
		if good.status != 200 || good.header.Get("Access-Control-Allow-Origin") != "*" || good.header.Get("Access-Control-Expose-Headers") != "*" || good.header.Get("Set-Cookie") != "" {
			t.Errorf("%s, with a key: %d %v", path, good.status, good.header)
		}
		for _, given := range []string{"", "wrong"} {
			r := call(from("evil", given)...)
			if r.status != 403 || r.header.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(r.body, "another site") {
				t.Errorf("%s, key %q: %d %v %s", path, given, r.status, r.header, r.body)
			}
		}
	}
	if r := s.get("/v1.0/account"); !strings.Contains(r.body, `"free_calls":9`) || r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("other sites' pages have spent some of a visitor's photos: %s %v", r.body, r.header)
	}
	if r := s.do("OPTIONS", formPath, nil, append(asked, "x-api-key")...); r.status != 405 {
		t.Errorf("the page's own form: %d", r.status)
	}

	// Where no keys are configured, any is ignored: that lets no other site in.
	open := start(t, placing(nil), limited(ratelimit.Rules{Device: device}))
	if r := open.do("OPTIONS", removeBGPath, nil, append(asked, "x-api-key")...); r.status != 405 || r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without keys, a page may ask: %d %v", r.status, r.header)
	}
	open.post(removeBGPath, newForm().fileIn("image_file", "a", "photo"), from("evil", "k3y")...).refuses(t, 403, "forbidden")
	open.get("/v1.0/account", from("evil", "k3y")...).refuses(t, 403, "forbidden")
}
