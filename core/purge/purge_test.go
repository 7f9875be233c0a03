package purge

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service is a fake of a hosted edge's API: it records requests and answers as set.
type service struct {
	*httptest.Server
	requests []*http.Request
	bodies   []string
	status   int
	answer   string
	header   http.Header
}

func serve(t *testing.T, status int, answer string) *service {
	s := &service{status: status, answer: answer, header: http.Header{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.requests, s.bodies = append(s.requests, r), append(s.bodies, string(body))
		for field := range s.header {
			w.Header().Set(field, s.header.Get(field))
		}
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, s.answer)
	}))
	t.Cleanup(s.Close)
	return s
}

func only(t *testing.T, e Caches) error {
	t.Helper()
	outcomes := e.Purge(t.Context())
	if len(outcomes) != 1 {
		t.Fatalf("outcomes: %v", outcomes)
	}
	return outcomes[0].Err
}

func TestCloudflare(t *testing.T) {
	s := serve(t, 200, `{"success":true,"errors":[],"result":{"id":"0a1b"}}`)
	account := Account{ID: "zone/../1", Token: "secret", Base: s.URL + "/client/v4"}
	if err := only(t, Caches{Cloudflare: account, Tag: "pages"}); err != nil {
		t.Fatal(err)
	}
	r := s.requests[0]
	if r.Method != http.MethodPost || r.RequestURI != "/client/v4/zones/zone%2F..%2F1/purge_cache" ||
		r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %v", r.Method, r.RequestURI, r.Header)
	}
	var wish map[string][]string
	if err := json.Unmarshal([]byte(s.bodies[0]), &wish); err != nil || len(wish) != 1 || len(wish["tags"]) != 1 || wish["tags"][0] != "pages" {
		t.Errorf("asked for %s", s.bodies[0])
	}
}

func TestFastly(t *testing.T) {
	s := serve(t, 200, `{"status":"ok","id":"108-1391560174-974124"}`)
	if err := only(t, Caches{Fastly: Account{ID: "service", Token: "secret", Base: s.URL}, Tag: "pages"}); err != nil {
		t.Fatal(err)
	}
	r := s.requests[0]
	if r.Method != http.MethodPost || r.RequestURI != "/service/service/purge/pages" ||
		r.Header.Get("Fastly-Key") != "secret" || r.Header.Get("Fastly-Soft-Purge") != "1" {
		t.Errorf("%s %s %v", r.Method, r.RequestURI, r.Header)
	}
}

// An edge's refusal of a purge is reported, whatever its status; tokens are
// not, and follow no redirect.
func TestRefusals(t *testing.T) {
	const good = `{"success":true,"status":"ok"}`
	for _, c := range []struct {
		name   string
		status int
		answer string
		want   map[string]string // by edge
	}{
		{"says no", 200, `{"success":false,"errors":[{"message":"Invalid zone"}],"status":"error","msg":"Record not found"}`,
			map[string]string{"Cloudflare": "Invalid zone", "Fastly": "Record not found", "Varnish": "not what", "nginx": "serves its copy"}},
		{"forbids", 403, good, map[string]string{"Cloudflare": "403", "Fastly": "403", "Varnish": "acl purgers", "nginx": "403"}},
		{"is something else", 200, "<html>", map[string]string{"Cloudflare": "200 OK", "Fastly": "200 OK", "Varnish": "not what", "nginx": "bgremover_purger"}},
		{"leads elsewhere", 302, good, map[string]string{"Cloudflare": "302", "Fastly": "302", "Varnish": "302", "nginx": "302"}},
		{"fails", 502, "", map[string]string{"Cloudflare": "502", "Fastly": "502", "Varnish": "502", "nginx": "502"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, elsewhere := serve(t, c.status, c.answer), serve(t, 200, good)
			s.header.Set("Location", elsewhere.URL)
			account := Account{ID: "x", Token: "secret", Base: s.URL}
			all := Caches{Varnish: []string{s.URL}, Nginx: []string{s.URL}, Cloudflare: account, Fastly: account, Tag: "pages", Paths: []string{"/"}}
			outcomes := all.Purge(t.Context())
			if len(outcomes) != len(c.want) || len(elsewhere.requests) > 0 {
				t.Fatalf("%v, %d requests elsewhere", outcomes, len(elsewhere.requests))
			}
			for _, o := range outcomes {
				name, _, _ := strings.Cut(o.Cache, " ")
				if o.Err == nil || !strings.Contains(o.Err.Error(), c.want[name]) || strings.Contains(o.Err.Error(), "secret") {
					t.Errorf("%s: %v, want %q", o.Cache, o.Err, c.want[name])
				}
			}
		})
	}
}

// An edge that does not answer delays no other.
func TestOneEdgeIsAway(t *testing.T) {
	away, there := serve(t, 200, ""), serve(t, 200, `{"status":"ok"}`)
	away.Close()
	all := Caches{Varnish: []string{away.URL}, Fastly: Account{ID: "x", Base: there.URL}, Tag: "pages"}
	outcomes := all.Purge(t.Context())
	if len(outcomes) != 2 || outcomes[0].Err == nil || !strings.Contains(outcomes[0].Err.Error(), "does not answer") || outcomes[1].Err != nil {
		t.Errorf("%v", outcomes)
	}
	if nothing := (Caches{Tag: "pages"}).Purge(t.Context()); nothing != nil {
		t.Errorf("%v", nothing)
	}
}
