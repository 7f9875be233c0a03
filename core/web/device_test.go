package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/device"
	"bgremover.pro/core/ratelimit"
)

// sessionOf returns the answer's one cookie as a request's header.
func sessionOf(t *testing.T, r reply) (*http.Cookie, string) {
	t.Helper()
	cookies := (&http.Response{Header: r.header}).Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies: %q", len(cookies), r.header["Set-Cookie"])
	}
	return cookies[0], cookies[0].Name + "=" + cookies[0].Value
}

func (s *site) id(header ...string) string {
	s.t.Helper()
	return strings.TrimSpace(s.get("/device/data", header...).find(s.t, ".id").Text())
}

func TestTheOneCookie(t *testing.T) {
	s := start(t, succeed)
	bare := s.id()
	r := s.post(formPath, newForm().file("a", "photo"))
	cookie, header := sessionOf(t, r)
	if cookie.Name != "session" || cookie.Path != "/device/" || !cookie.HttpOnly || cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge > 86400 || cookie.MaxAge <= 0 {
		t.Errorf("got %+v", cookie)
	}
	if len(bare) != 16 || s.id("Cookie", header) != bare || s.id("Cookie", header, "User-Agent", "another") != bare {
		t.Errorf("the cookie's device is not the one without: %s", bare)
	}
	if s.id("User-Agent", "another") == bare {
		t.Error("two browsers are one device")
	}
	if s.id("Cookie", header+"x") != bare || s.id("Cookie", header+"x", "User-Agent", "another") == bare {
		t.Error("a tampered cookie is not treated as absent")
	}
	for name, r := range map[string]reply{
		"with the cookie": s.post(formPath, newForm().file("a", "photo"), "Cookie", header),
		"declined":        s.post(formPath, newForm().field("cookie", "no").file("a", "photo")),
		"the API":         s.do(http.MethodPost, api, strings.NewReader("x")),
		"a page":          s.get("/"),
		"the data page":   s.get("/device/data"),
		"the quota":       s.get("/device/quota"),
		"a refusal":       s.get(formPath + "/x"),
	} {
		if c := r.header["Set-Cookie"]; c != nil {
			t.Errorf("%s sets %q", name, c)
		}
	}
	late, _ := sessionOf(t, s.post(formPath, newForm().file("a", "photo").field("cookie", "no"), "Cookie", header))
	if late.MaxAge >= 0 || late.Value != "" {
		t.Errorf("a visitor who declines keeps %+v", late)
	}
}

func TestCookieIsSecureUnderTLS(t *testing.T) {
	s := start(t, succeed, trusting("127.0.0.0/8"))
	behind, _ := sessionOf(t, s.post(formPath, newForm().file("a", "x"), "X-Forwarded-Proto", "https"))
	plain, _ := sessionOf(t, s.post(formPath, newForm().file("a", "x")))
	if !behind.Secure || plain.Secure {
		t.Errorf("behind TLS %v, plain %v", behind.Secure, plain.Secure)
	}
}

func TestDroppingTheCookieGainsNothing(t *testing.T) {
	s := start(t, succeed, limited(ratelimit.Rules{Device: ratelimit.Rate{Count: 2, Period: time.Hour}}))
	_, cookie := sessionOf(t, s.post(formPath, newForm().file("a", "x")))
	s.post(formPath, newForm().file("a", "x"), "Cookie", cookie).expect(t, 200)
	s.post(formPath, newForm().file("a", "x")).expect(t, 429)
	s.post(formPath, newForm().file("a", "x"), "Cookie", cookie).expect(t, 429)
	s.post(formPath, newForm().file("a", "x"), "Cookie", "session=v1.aaaaaaaaaaaaaaaa.forged").expect(t, 429)
	s.post(formPath, newForm().file("a", "x"), "User-Agent", "another", "Cookie", cookie).expect(t, 429)
	s.do(http.MethodPost, api, strings.NewReader("x"), "Cookie", "session=x").expect(t, 429)
}

func TestSpoofedAddressesGainNothing(t *testing.T) {
	s := start(t, succeed, limited(ratelimit.Rules{Network: ratelimit.Rate{Count: 2, Period: time.Hour}}))
	id := s.id()
	for _, header := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP"} {
		if got := s.id(header, "203.0.113.5"); got != id {
			t.Errorf("%s changes the device", header)
		}
	}
	s.do(http.MethodPost, api, strings.NewReader("x"), "X-Forwarded-For", "203.0.113.1").expect(t, 200)
	s.do(http.MethodPost, api, strings.NewReader("x"), "X-Forwarded-For", "203.0.113.2", "User-Agent", "b").expect(t, 200)
	s.do(http.MethodPost, api, strings.NewReader("x"), "X-Forwarded-For", "203.0.113.3", "User-Agent", "c").expect(t, 429)
	if n := strings.Count(s.log.String(), "BGREMOVER_TRUSTED_PROXIES"); n != 1 {
		t.Errorf("the operator is warned %d times", n)
	}
}

func TestAddressesBehindAProxy(t *testing.T) {
	s := start(t, succeed, trusting("127.0.0.0/8"), limited(ratelimit.Rules{Network: ratelimit.Rate{Count: 1, Period: time.Hour}}))
	one, two := s.id("X-Forwarded-For", "2001:db8:1:2::1"), s.id("X-Forwarded-For", "2001:db8:1:2:ffff:ffff:ffff:ffff")
	if one != two {
		t.Error("two addresses of one /64 are two devices")
	}
	if s.id("X-Forwarded-For", "2001:db8:1:3::1") == one {
		t.Error("two /64 are one device")
	}
	if s.id("X-Forwarded-For", "198.51.100.9, 2001:db8:1:2::1") != one {
		t.Error("what the visitor wrote counts")
	}
	s.do(http.MethodPost, api, strings.NewReader("x"), "X-Forwarded-For", "192.0.2.1").expect(t, 200)
	s.do(http.MethodPost, api, strings.NewReader("x"), "X-Forwarded-For", "192.0.2.2").expect(t, 200)
	s.do(http.MethodPost, api, strings.NewReader("x"), "X-Forwarded-For", "192.0.2.1", "User-Agent", "b").expect(t, 429)
}

func TestIdentifiersChangeDaily(t *testing.T) {
	s := start(t, succeed)
	before := s.id()
	_, cookie := sessionOf(t, s.post(formPath, newForm().file("a", "x")))
	s.now.Store(int64(25 * time.Hour))
	if after := s.id(); after == before {
		t.Error("the identifier is the same after 25 hours")
	}
	s.now.Store(int64(49 * time.Hour))
	if s.id("Cookie", cookie) == before {
		t.Error("a cookie opens after 49 hours")
	}
}

func TestQuota(t *testing.T) {
	s := start(t, succeed, limited(ratelimit.Rules{Device: ratelimit.Rate{Count: 5, Period: time.Hour}}))
	s.get("/device/quota").expect(t, 200, `data-remaining="5"`)
	s.do(http.MethodPost, api, strings.NewReader("x")).expect(t, 200)
	for range 20 { // looking costs nothing
		s.get("/device/quota").expect(t, 200, `data-remaining="4"`)
	}
	if r := s.get("/device/quota"); r.header.Get("RateLimit") != "" {
		t.Error("a GET tells RateLimit")
	}
}

func TestForget(t *testing.T) {
	s := start(t, succeed, limited(ratelimit.Rules{Device: ratelimit.Rate{Count: 2, Period: time.Hour}, Network: ratelimit.Rate{Count: 100, Period: time.Hour}}))
	_, cookie := sessionOf(t, s.post(formPath, newForm().file("a", "x")))
	for range 3 {
		r := s.do(http.MethodPost, "/device/forget", nil, "Cookie", cookie)
		r.expect(t, 200)
		if gone, _ := sessionOf(t, r); gone.MaxAge >= 0 || r.header.Get("Clear-Site-Data") != "" {
			t.Errorf("%+v %q", gone, r.header.Get("Clear-Site-Data"))
		}
	}
	s.post(formPath, newForm().file("a", "x"), "Cookie", cookie).expect(t, 200)
	s.do(http.MethodPost, "/device/forget", nil, "Cookie", cookie).expect(t, 200)
	s.post(formPath, newForm().file("a", "x"), "Cookie", cookie).expect(t, 429)
	s.post(formPath, newForm().file("a", "x")).expect(t, 429)
	s.do(http.MethodPost, "/device/forget", nil, "Sec-Fetch-Site", "cross-site").expect(t, 403)
	s.get("/device/forget").expect(t, 405)
}

func TestForgetClearsTheSiteUnderTLS(t *testing.T) {
	s := start(t, succeed, trusting("127.0.0.0/8"))
	r := s.do(http.MethodPost, "/device/forget", nil, "X-Forwarded-Proto", "https")
	if got := r.header.Get("Clear-Site-Data"); got != `"cache", "storage"` {
		t.Errorf("Clear-Site-Data: %q", got)
	}
}

func TestPlaceInTheQueue(t *testing.T) {
	told, done := make(chan struct{}), make(chan struct{})
	s := start(t, func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
		job.Observe(cutout.Progress{Stage: cutout.Waiting, Ahead: 3})
		close(told)
		<-done
		return succeed(ctx, job)
	})
	answered := make(chan reply)
	form := newForm().field("upload", "abc-123").file("a", "x")
	go func() { answered <- s.post(formPath, form) }()
	<-told
	place := s.get("/device/queue?upload=abc-123")
	place.expect(t, 200, `data-stage="waiting"`, "3 photos are ahead")
	s.get("/device/queue?upload=abc-123", "User-Agent", "another").expect(t, 200, `data-stage=""`)
	s.get("/device/queue?upload=another").expect(t, 200, `data-stage=""`)
	s.get("/device/queue").expect(t, 400, `data-code="invalid"`)
	s.get("/device/queue?upload="+strings.Repeat("x", 65)).expect(t, 400)
	close(done)
	r := <-answered
	r.expect(t, 200)
	s.get("/device/queue?upload=abc-123").expect(t, 200, `data-stage=""`)
	if n := len(s.server.progress.entries); n != 0 {
		t.Errorf("%d places are left", n)
	}
}

func TestPlacesAreNamedInThreeWays(t *testing.T) {
	var s *site
	s = start(t, func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
		job.Observe(cutout.Progress{Stage: cutout.Infer})
		s.get("/device/queue?upload=me").expect(t, 200, `data-stage="infer"`)
		return succeed(ctx, job)
	})
	s.post(formPath, newForm().field("upload", "me").file("a", "x")).expect(t, 200)
	s.post(formPath+"?upload=me", newForm().file("a", "x")).expect(t, 200)
	s.post(formPath, newForm().file("a", "x"), "X-Upload-ID", "me").expect(t, 200)
}

func TestPlacesAreBounded(t *testing.T) {
	tr := newTracker()
	var all []*entry
	for n := range maxTracked + 10 {
		p := tr.begin("device")
		p.name(strings.Repeat("x", 1+n%60) + "-" + string(rune('a'+n%26)) + strings.Repeat("y", n/1560))
		all = append(all, p)
	}
	if len(tr.entries) > maxTracked {
		t.Errorf("%d places", len(tr.entries))
	}
	twin := tr.begin("device")
	twin.name(all[0].key.upload)
	twin.end()
	if tr.entries[all[0].key] != all[0] {
		t.Error("a second upload of one name took the first one's place")
	}
	for _, p := range all {
		p.end()
	}
	if len(tr.entries) != 0 {
		t.Errorf("%d places are left", len(tr.entries))
	}
}

func TestDataPageShowsWhatIsHeld(t *testing.T) {
	s := start(t, succeed)
	id := s.server.devices.Derive(mustRequest(t, s.url)).ID
	s.get("/device/data").expect(t, 200, id)
	if device.CookiePath != "/device/" {
		t.Error("the cookie reaches pages that edges cache")
	}
}
