package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

	"bgremover.pro/core/cutout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open stands for a public address, closed for a private one; both are on this
// machine.
var open, closed = netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")

func permit(a netip.Addr) bool { return a.Unmap() == open }

// site is a server on an address of this machine, which counts its visitors.
type site struct {
	*httptest.Server
	visits atomic.Int64
	port   string
}

func serveAt(t *testing.T, at netip.Addr, handle http.HandlerFunc) *site {
	t.Helper()
	listener, err := net.Listen("tcp", netip.AddrPortFrom(at, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{}
	s.Server = &httptest.Server{Listener: listener, Config: &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.visits.Add(1)
			handle(w, r)
		}),
	}}
	s.Start()
	t.Cleanup(s.Close)
	_, s.port, _ = net.SplitHostPort(listener.Addr().String())
	return s
}

func photo(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "photo") }

// get downloads with a limit of 1000 bytes.
func get(f *Fetcher, address string) ([]byte, error) {
	var got []byte
	err := f.Get(context.Background(), address, "me", 1000, func(r io.Reader) (err error) {
		got, err = io.ReadAll(r)
		return err
	})
	return got, err
}

func refuses(t *testing.T, f *Fetcher, address string, want cutout.Code) {
	t.Helper()
	started := time.Now()
	if got, err := get(f, address); cutout.CodeOf(err) != want {
		t.Errorf("%.80s: %q, %v; want %s", address, got, err, want)
	} else if message := cutout.MessageOf(err); strings.Contains(message, "127.0") || strings.Contains(message, "dial") {
		t.Errorf("%s: the message shows what was found: %s", address, message)
	}
	if took := time.Since(started); took > 15*time.Second {
		t.Errorf("%s: took %v", address, took)
	}
}

func TestHostsAreTheOperatorsChoice(t *testing.T) {
	s := serveAt(t, open, photo)
	for hosts, want := range map[string]bool{
		"": false, "127.0.0.1": false, "127.0.0.1:" + s.port: true, "*:" + s.port: true, "*": false,
		"photos.example:" + s.port: false, "127.0.0.1:1,127.0.0.1:" + s.port: true,
	} {
		var list []string
		if hosts != "" {
			list = strings.Split(hosts, ",")
		}
		f := New(Options{Hosts: list, Permit: permit})
		got, err := get(f, s.URL+"/a.jpg")
		if (err == nil) != want || want && string(got) != "photo" || !want && cutout.CodeOf(err) != Refused {
			t.Errorf("hosts %q: %q, %v", hosts, got, err)
		}
	}
	for pattern, cases := range map[string]map[string]bool{
		"example.com":        {"http://example.com/a": true, "https://EXAMPLE.com.": true, "http://a.example.com": false, "http://example.com:8080": false, "http://example.com.evil.net": false},
		"*.example.com":      {"http://a.example.com": true, "http://a.b.example.com:80": true, "http://example.com": false, "http://evilexample.com": false},
		"*":                  {"http://anything.net": true, "https://[2606:4700::1]": true, "http://anything.net:22": false},
		"example.com:8080":   {"http://example.com:8080": true, "http://example.com": false},
		"müller.example":     {"http://xn--mller-kva.example/": true, "http://MÜLLER.example/": true},
		"[2606:4700::1]:443": {"https://[2606:4700::1]/": true},
	} {
		f := New(Options{Hosts: []string{pattern}})
		for address, want := range cases {
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.check(u) == nil; got != want {
				t.Errorf("%s: %s is allowed: %v", pattern, address, got)
			}
		}
	}
}

func TestOnlyPlainWebAddresses(t *testing.T) {
	f := New(Options{Hosts: []string{"*"}, Permit: func(netip.Addr) bool { return false }})
	for _, address := range []string{
		"", "photo.jpg", "//example.com/a", "file:///etc/passwd", "ftp://example.com/a", "gopher://example.com/", "data:image/png;base64,AA",
		"http://", "http:example.com", "http://user@example.com/", "http://user:secret@example.com/", "http://exa mple.com/", "http://example.com:99999/",
		"http://[::1", "javascript:alert(1)", "http://example.com/\x00", "http://example.com/" + strings.Repeat("a", longest), "http://169.254.169.254/latest/",
	} {
		refuses(t, f, address, Refused)
	}
}

// The real rule, against a server on this machine: whatever it is called.
func TestThisMachineIsNotPublic(t *testing.T) {
	s := serveAt(t, open, photo)
	f := New(Options{Hosts: []string{"*:" + s.port, "localhost:" + s.port}})
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "127.1.2.3"} {
		want := Refused
		if host == "localhost" {
			want = Failed
		}
		refuses(t, f, "http://"+host+":"+s.port+"/", want)
	}
	if n := s.visits.Load(); n > 0 {
		t.Errorf("%d visits", n)
	}
}

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.216.34": true, "8.8.8.8": true, "172.32.0.1": true, "100.128.0.1": true, "2606:4700::1111": true, "2a00:1450:4001::1": true, "::ffff:8.8.8.8": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.1.2.3": false, "100.64.0.1": false, "100.100.100.200": false, "127.0.0.1": false, "127.255.255.254": false,
		"169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false, "192.0.0.192": false, "192.0.2.1": false, "192.168.1.1": false, "192.88.99.1": false,
		"198.18.0.1": false, "198.19.255.255": false, "198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "255.255.255.255": false, "168.63.129.16": false,
		"::": false, "::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::7f00:1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false,
		"fd00:ec2::254": false, "ff02::1": false, "64:ff9b::7f00:1": false, "64:ff9b:1::1": false, "2002:7f00:1::": false, "2001:0:7f00:1::": false,
		"2001:db8::1": false, "3fff::1": false, "5f00::1": false, "100::1": false, "2606:4700::1%lo": false,
	} {
		if got := Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is public: %v", address, got)
		}
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && Public(p.Addr()) {
			t.Errorf("%s is this machine's own", p.Addr())
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// names is a name server; each question is answered with the next list of addresses,
// the last one for ever.
type names struct {
	mu      sync.Mutex
	answers [][]netip.Addr
}

func (n *names) next() []netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.answers[0]
	if len(n.answers) > 1 {
		n.answers = n.answers[1:]
	}
	return now
}

func (n *names) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 1500)
		for {
			size, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:size]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				for _, a := range n.next() {
					m.Answers = append(m.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
						Body:   &dnsmessage.AResource{A: a.As4()},
					})
				}
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = server.WriteTo(packed, from)
			}
		}
	}()
	t.Cleanup(func() { server.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// A name that means another address a moment later gains nothing.
func TestNamesCannotChangeTheirMeaning(t *testing.T) {
	s := serveAt(t, open, photo)
	inner, err := net.Listen("tcp", netip.AddrPortFrom(closed, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(inner.Addr().String())
	defer inner.Close()
	touched := make(chan struct{}, 1)
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			conn, err := inner.Accept()
			if err != nil {
				return
			}
			conn.Close()
			select {
			case touched <- struct{}{}:
			default:
			}
		}
	}()
	f := New(Options{Hosts: []string{"*:" + s.port, "*:" + port}, Permit: permit,
		Resolver: (&names{answers: [][]netip.Addr{{open}, {closed}, {closed, open}, {closed}}}).resolver(t)})
	if got, err := get(f, "http://photos.test.:"+s.port+"/"); err != nil || string(got) != "photo" {
		t.Fatalf("the first time: %q, %v", got, err)
	}
	refuses(t, f, "http://photos.test.:"+port+"/", Failed)
	// Of several addresses, only those that are permitted are tried.
	if got, err := get(f, "http://photos.test.:"+s.port+"/"); err != nil || string(got) != "photo" {
		t.Errorf("of two addresses: %q, %v", got, err)
	}
	refuses(t, f, "http://photos.test.:"+port+"/", Failed)
	inner.Close()
	<-accepting
	select {
	case <-touched:
		t.Error("the private server was connected to")
	default:
	}
}

func TestRedirectsAreCheckedToo(t *testing.T) {
	inner := serveAt(t, closed, photo)
	var s *site
	s = serveAt(t, open, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		to := map[string]string{
			"/ok": s.URL + "/photo", "/relative": "photo", "/loop": "/loop", "/inner": inner.URL, "/file": "file:///etc/passwd",
			"/user": strings.Replace(s.URL, "http://", "http://user:secret@", 1) + "/photo", "/other": "http://other.test:" + s.port + "/",
			"/metadata": "http://169.254.169.254/latest/meta-data/", "/mapped": "http://[::ffff:127.0.0.2]:" + inner.port + "/", "/ftp": "ftp://127.0.0.1/a",
			"/port": "http://127.0.0.1:22/", "/broken": "http://[::1",
		}
		for i := range 6 {
			to[fmt.Sprintf("/many%d", i)] = fmt.Sprintf("/many%d", i-1)
		}
		to["/many0"] = "/photo"
		if location, moved := to[r.URL.Path]; moved {
			w.Header().Set("Location", location)
			w.WriteHeader([]int{301, 302, 303, 307, 308}[len(r.URL.Path)%5])
			return
		}
		for _, name := range []string{"Cookie", "Referer", "Authorization", "X-Forwarded-For"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s is sent: %s", name, r.Header.Get(name))
			}
		}
		photo(w, r)
	})
	f := New(Options{Hosts: []string{"127.0.0.1:" + s.port, "*:" + inner.port, "169.254.169.254"}, Permit: permit})
	for _, path := range []string{"/photo", "/ok", "/relative", "/many4"} {
		if got, err := get(f, s.URL+path); err != nil || string(got) != "photo" {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	for path, want := range map[string]cutout.Code{
		"/loop": Failed, "/many5": Failed, "/broken": Failed,
		"/inner": Refused, "/file": Refused, "/user": Refused, "/other": Refused, "/metadata": Refused, "/mapped": Refused, "/ftp": Refused, "/port": Refused,
	} {
		refuses(t, f, s.URL+path, want)
	}
	if n := inner.visits.Load(); n > 0 {
		t.Errorf("%d visits to the private server", n)
	}
}

func TestHostileServers(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 10<<20))
	_ = z.Close()
	drip := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte("x")); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	s := serveAt(t, open, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/missing":
			http.NotFound(w, r)
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		case "/silent":
			<-r.Context().Done()
		case "/drip":
			drip(w, r)
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		case "/says-too-much":
			w.Header().Set("Content-Length", "1001")
			_, _ = w.Write(make([]byte, 1001))
		case "/one-too-many":
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(make([]byte, 1001))
		case "/breaks-off":
			w.Header().Set("Content-Length", "500")
			_, _ = w.Write(make([]byte, 100))
		case "/bomb":
			if r.Header.Get("Accept-Encoding") != "identity" {
				t.Error("compression is asked for:", r.Header.Get("Accept-Encoding"))
			}
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes()[:500])
		case "/headers":
			w.Header().Set("X-Long", strings.Repeat("x", 70<<10))
			photo(w, r)
		case "/not-http":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.2\r\n")
				conn.Close()
			}
		case "/exact":
			_, _ = w.Write(make([]byte, 1000))
		}
	})
	f := New(Options{Hosts: []string{"127.0.0.1:" + s.port, "127.0.0.1:1"}, Permit: permit, Timeout: 500 * time.Millisecond})
	if got, err := get(f, s.URL+"/exact"); err != nil || len(got) != 1000 {
		t.Errorf("as much as is allowed: %d, %v", len(got), err)
	}
	for path, want := range map[string]cutout.Code{
		"/missing": Failed, "/empty": Failed, "/silent": Failed, "/drip": Failed, "/breaks-off": Failed, "/bomb": Failed, "/headers": Failed, "/not-http": Failed,
		"/endless": cutout.TooLarge, "/says-too-much": cutout.TooLarge, "/one-too-many": cutout.TooLarge,
	} {
		refuses(t, f, s.URL+path, want)
	}
	refuses(t, f, "http://127.0.0.1:1/", Failed) // nobody listens
}

// The environment's proxy would connect to addresses that are not checked here.
func TestNoProxy(t *testing.T) {
	s := serveAt(t, open, photo)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	f := New(Options{Hosts: []string{"*:" + s.port}, Permit: permit, Resolver: (&names{answers: [][]netip.Addr{{open}}}).resolver(t)})
	if got, err := get(f, "http://photos.test.:"+s.port+"/"); err != nil || string(got) != "photo" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestParallelDownloadsAreBounded(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	s := serveAt(t, open, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		photo(w, r)
	})
	f := New(Options{Hosts: []string{"127.0.0.1:" + s.port}, Permit: permit, Parallel: 8})
	var all sync.WaitGroup
	ask := func(owner string) {
		all.Go(func() {
			if err := f.Get(t.Context(), s.URL, owner, 10, func(r io.Reader) error { _, err := io.ReadAll(r); return err }); err != nil {
				t.Errorf("%s: %v", owner, err)
			}
		})
		<-arrived
	}
	busy := func(owner string) {
		t.Helper()
		if err := f.Get(t.Context(), s.URL, owner, 10, nil); cutout.CodeOf(err) != cutout.Busy {
			t.Errorf("%s: %v", owner, err)
		}
	}
	for _, owner := range []string{"a", "b", "c"} {
		ask(owner)
		ask(owner)
		busy(owner)
	}
	ask("d")
	ask("e")
	busy("f")
	close(release)
	all.Wait()
	if len(f.owners) != 0 || f.running != 0 {
		t.Errorf("afterwards: %v, %d", f.owners, f.running)
	}
}

func TestClientsThatLeaveEndTheDownload(t *testing.T) {
	arrived := make(chan struct{})
	s := serveAt(t, open, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	f := New(Options{Hosts: []string{"127.0.0.1:" + s.port}, Permit: permit})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if err := f.Get(ctx, s.URL, "", 10, nil); cutout.CodeOf(err) != cutout.Canceled {
		t.Error(err)
	}
}

// Hosts change while serving.
func TestAllow(t *testing.T) {
	f := New(Options{})
	if f.Enabled() {
		t.Error("enabled by default")
	}
	f.Allow([]string{"*"})
	if !f.Enabled() {
		t.Error("not enabled")
	}
	f.Allow(nil)
	if f.Enabled() {
		t.Error("still enabled")
	}
}

// FuzzAddress: whatever is sent, only an http or https address of a host that is
// allowed is asked for.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"http://a.test/b", "https://a.test:443/?q#f", "http://a.test@evil/", "http://evil\\@a.test/", "http://a.test%2eevil/", "//a.test", "http://ａ.test/"} {
		f.Add(s)
	}
	fetcher := New(Options{Hosts: []string{"a.test"}})
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse(s)
		if err != nil || fetcher.check(u) != nil {
			return
		}
		request, err := http.NewRequest(http.MethodGet, u.String(), nil)
		if err != nil {
			return
		}
		if plainName(request.URL.Hostname()) != "a.test" || request.URL.User != nil || request.URL.Port() != "" && request.URL.Port() != "80" && request.URL.Port() != "443" {
			t.Errorf("%q leads to %q", s, request.URL)
		}
	})
}
