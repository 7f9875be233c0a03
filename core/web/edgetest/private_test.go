package edgetest

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// identifier finds the device's identifier on its own page.
var identifier = regexp.MustCompile(`\b[a-z2-7]{16}\b`)

// person is a visitor and all that nobody else may see.
type person struct {
	*visitor
	photo   string
	secrets []string
}

func (e *edge) person(t *testing.T, n byte, name string) *person {
	p := &person{visitor: e.visitor(t, n), photo: "the photo of " + name + " " + strings.Repeat(name, 40)}
	p.agent = name // tells two people at one address apart, too
	page := p.form(p.photo)
	page.expect(t, name+"'s form", 200)
	encoded := base64.StdEncoding.EncodeToString([]byte(p.photo))
	if !strings.Contains(page.body, encoded) {
		t.Errorf("%s's page lacks the result", name)
	}
	cookie, err := http.ParseSetCookie(page.header.Get("Set-Cookie"))
	if err != nil {
		t.Fatalf("%s got no cookie: %v", name, page.header)
	}
	data := p.get("/device/data")
	data.expect(t, "data", 200)
	id := strings.Split(cookie.Value, ".")[1]
	if !strings.Contains(data.body, id) {
		t.Fatalf("%s's data are not %s's: %v", name, name, identifier.FindAllString(data.body, -1))
	}
	p.secrets = []string{p.photo, encoded, cookie.Value, id}
	return p
}

// knows fails where an answer holds what is another's.
func (r reply) knows(t *testing.T, what string, other *person) {
	t.Helper()
	var header strings.Builder
	_ = r.header.Write(&header)
	for _, secret := range other.secrets {
		if strings.Contains(r.body, secret) || strings.Contains(header.String(), secret) {
			t.Errorf("%s shows what is %s's: %.300s", what, other.agent, r.body)
		}
	}
}

// Two visitors with jars, and a third without anything, behind one edge.
func TestVisitorsNeverMeet(t *testing.T) {
	behind(t, all, func(t *testing.T, e *edge) {
		ann, bob := e.person(t, 2, "ann"), e.person(t, 3, "bob")
		eve := &person{visitor: e.visitor(t, 4)}
		eve.agent = "eve"
		paths := append(shared(), "/device/quota", "/device/data", "/device/queue?upload=abc", "/device/cutouts", "/api/v1/cutouts", "/nowhere")
		for range 2 {
			for _, path := range paths {
				for _, asks := range []*person{ann, bob, eve} {
					r := asks.get(path)
					for _, other := range []*person{ann, bob} {
						if other != asks {
							r.knows(t, asks.agent+" "+path, other)
						}
					}
					if r.header["Set-Cookie"] != nil {
						t.Errorf("%s got a cookie from %s", asks.agent, path)
					}
				}
			}
			for _, asks := range []*person{ann, bob} {
				if r := asks.api(asks.photo); r.status != 200 || r.body != asks.photo || r.header.Get("Cache-Control") != "private, no-store" {
					t.Errorf("%s's result through the API: %d %v", asks.agent, r.status, r.header)
				}
			}
		}
		ann.form(ann.photo)
		if a, b := ann.api(ann.photo), bob.api(bob.photo); !strings.Contains(a.header.Get("RateLimit"), "r=995") || !strings.Contains(b.header.Get("RateLimit"), "r=996") {
			t.Errorf("ann has sent 5 of 1000 photos: %v\nbob 4: %v", a.header, b.header)
		}
	})
}

func TestEveryPostReachesTheOrigin(t *testing.T) {
	behind(t, all, func(t *testing.T, e *edge) {
		v := e.visitor(t, 2)
		for n := range int64(3) {
			v.api("the same photo").expect(t, "api", 200)
			v.form("the same photo").expect(t, "form", 200)
			if got := e.origin.jobs.Load(); got != 2*n+2 {
				t.Errorf("%d posts, %d jobs", 2*n+2, got)
			}
		}
		// A result has no address: what was posted to answers nothing to a GET.
		if r := v.get("/api/v1/cutouts"); r.status != 405 || strings.Contains(r.body, "photo of") {
			t.Errorf("GET of the API: %d %s", r.status, r.body)
		}
	})
}

// A visitor is lured to an address that looks cacheable; the one who lured them
// then asks for it too.
func TestCacheDeception(t *testing.T) {
	behind(t, all, func(t *testing.T, e *edge) {
		ann, eve := e.person(t, 2, "ann"), e.visitor(t, 3)
		for _, path := range []string{
			"/device/data/x.css", "/device/data.css", "/device/data;x.css", "/device/data%3Bx.css", "/device/data%2Fx.css",
			"/device%2Fdata", "/device/%64ata", "/%64evice/data", "/device/data%00.css", "/device/data%0A.css", "/device/data%23.css",
			"/device//data", "//device/data", "/device/./data", "/static/../device/data", "/static/..%2Fdevice%2Fdata", "/static/%2e%2e/device/data",
			"/device/data/", "/device/data%20", "/device%5Cdata", "/DEVICE/DATA", "/device/cutouts.png", "/device/cutouts/x.png", "/api/v1/cutouts.png",
			"/device/quota.js", "/device/data?x.css", "/device/data?/x.css", "/device/data??.png", "/device/quota?cb=1.js", "/?x=/device/data",
		} {
			for range 2 {
				before := e.origin.requests()
				r := ann.get(path)
				private := strings.Contains(r.body, ann.secrets[3]) || r.status >= 400
				if private && r.header.Get("Cache-Control") != "private, no-store" && e.origin.requests() > before {
					t.Errorf("%s: %d %v", path, r.status, r.header)
				}
				if strings.Contains(r.body, ann.secrets[3]) && e.origin.requests() == before {
					t.Errorf("%s: came from the cache", path)
				}
				eve.get(path).knows(t, "eve "+path, ann)
			}
		}
		if !strings.Contains(ann.get("/device/data?x.css").body, ann.secrets[3]) {
			t.Error("the very page that must not be kept was never seen")
		}
	})
}

// The limits count visitors, not the proxy, whatever a visitor claims.
func TestLimitsBehindTheEdgeArePerVisitor(t *testing.T) {
	behind(t, all, func(t *testing.T, e *edge) {
		e.origin.limit(2)
		greedy, other := e.visitor(t, 2), e.visitor(t, 3)
		for n, want := range []int{200, 200, 429, 429, 429} {
			claimed := "203.0.113." + string(rune('1'+n))
			r := greedy.api("photo", "X-Forwarded-For", claimed, "Forwarded", "for="+claimed, "X-Real-IP", claimed)
			r.expect(t, "greedy", want)
			if want == 429 && r.header.Get("Retry-After") == "" {
				t.Error("no Retry-After came through")
			}
		}
		other.api("photo").expect(t, "other", 200)
		other.api("photo").expect(t, "other", 200)
		other.api("photo").expect(t, "other", 429)
	})
}
