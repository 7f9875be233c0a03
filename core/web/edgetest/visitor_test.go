package edgetest

import (
	"bytes"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"testing"

	"bgremover.pro/core/web"
	"bgremover.pro/static"
	"bgremover.pro/templates/texts"
)

// visitor is a browser, or a program, at an address of its own.
type visitor struct {
	t      testing.TB
	client *http.Client
	base   string
	agent  string
}

// visitor comes from 127.0.0.n.
func (e *edge) visitor(t testing.TB, n byte) *visitor { return newVisitor(t, e.url, n) }

// direct is a visitor who goes round the edge.
func (e *edge) direct(t testing.TB) *visitor { return newVisitor(t, "http://"+e.origin.address, 9) }

func newVisitor(t testing.TB, base string, n byte) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, n)}}
	transport := &http.Transport{DisableCompression: true, DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{t: t, base: base, agent: "Visitor", client: &http.Client{
		Transport: transport, Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request with header pairs.
func (v *visitor) do(method, path string, body io.Reader, header ...string) reply {
	v.t.Helper()
	r, err := http.NewRequest(method, v.base+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("User-Agent", v.agent)
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	answer, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{answer.StatusCode, answer.Header, string(text)}
}

func (v *visitor) get(path string, header ...string) reply {
	v.t.Helper()
	return v.do(http.MethodGet, path, nil, header...)
}

// form posts a photo as the page does without scripts.
func (v *visitor) form(photo string, header ...string) reply {
	v.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, _ := w.CreateFormFile("image", "photo.jpg")
	_, _ = io.WriteString(part, photo)
	_ = w.Close()
	return v.do(http.MethodPost, "/device/cutouts", &b, append([]string{"Content-Type", w.FormDataContentType()}, header...)...)
}

// api posts a photo as programs do.
func (v *visitor) api(photo string, header ...string) reply {
	v.t.Helper()
	return v.do(http.MethodPost, "/api/v1/cutouts", strings.NewReader(photo), append([]string{"Content-Type", "application/octet-stream"}, header...)...)
}

func (r reply) expect(t testing.TB, what string, status int) {
	t.Helper()
	if r.status != status {
		t.Errorf("%s: status %d, want %d: %.200s", what, r.status, status, r.body)
	}
}

// shared lists addresses of everything that edges may keep; of the languages, English
// and one other.
func shared() []string {
	paths := slices.DeleteFunc(web.SharedPaths(), func(path string) bool {
		return slices.ContainsFunc(texts.All[2:], func(l *texts.Language) bool { return strings.HasPrefix(path, l.Prefix+"/") })
	})
	return append(paths, static.Path("css/tokens.css"), static.Path("icons/icon.svg"))
}
