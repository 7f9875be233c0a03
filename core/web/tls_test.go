package web

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/upload"
)

// encrypted starts a site under TLS, with clients of both protocols.
func encrypted(t *testing.T, remove removerFunc, change ...func(*Options)) map[string]*site {
	t.Helper()
	example := httptest.NewTLSServer(nil) // it brings a certificate
	example.Close()
	sites := map[string]*site{}
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		s := start(t, remove, append(change, func(o *Options) {
			o.TLS = &tls.Config{Certificates: example.TLS.Certificates, MinVersion: tls.VersionTLS12}
		})...)
		s.url = strings.Replace(s.url, "http:", "https:", 1)
		transport := s.client.Transport.(*http.Transport)
		transport.TLSClientConfig = example.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		transport.ForceAttemptHTTP2 = protocol == "HTTP/2.0"
		sites[protocol] = s
	}
	return sites
}

func TestUnderTLS(t *testing.T) {
	for protocol, s := range encrypted(t, succeed, brisk) {
		t.Run(protocol, func(t *testing.T) {
			answer, err := s.client.Get(s.url)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.Proto != protocol {
				t.Errorf("spoken: %s", answer.Proto)
			}
			r := s.post(formPath, newForm().file("a", "photo"))
			r.expect(t, 200, dataURI("image/png"))
			if cookie, _ := sessionOf(t, r); !cookie.Secure {
				t.Error("the cookie is not Secure")
			}
			if r := s.do(http.MethodPost, "/device/forget", nil); r.header.Get("Clear-Site-Data") == "" {
				t.Error("the site is not cleared")
			}
			s.do(http.MethodPost, api, strings.NewReader(strings.Repeat("x", 8<<20))).expect(t, 413)
			s.do(http.MethodPost, api, struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 8<<20))}).expect(t, 413)
			in, out := io.Pipe()
			defer out.Close()
			go func() { _, _ = out.Write([]byte("x")) }()
			slow := s.do(http.MethodPost, api, in)
			if p := slow.problem(t); slow.status != 408 || p.Code != upload.Slow {
				t.Errorf("a slow client: %d %+v", slow.status, p)
			}
			s.do(http.MethodPost, api, strings.NewReader("photo")).expect(t, 200, string(picture))
		})
	}
}

func TestLeavingUnderTLS(t *testing.T) {
	running, ended := make(chan struct{}), make(chan struct{})
	for protocol, s := range encrypted(t, func(ctx context.Context, _ cutout.Job) (*cutout.Result, error) {
		running <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return nil, ctx.Err()
	}) {
		t.Run(protocol, func(*testing.T) {
			ctx, leave := context.WithCancel(context.Background())
			r, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.url+api, strings.NewReader("photo"))
			left := make(chan error)
			go func() {
				answer, err := s.client.Do(r)
				if err == nil {
					answer.Body.Close()
				}
				left <- err
			}()
			<-running
			leave()
			<-ended
			<-left
		})
	}
}
