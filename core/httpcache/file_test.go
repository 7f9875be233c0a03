package httpcache

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	dir := t.TempDir()
	plain, encoded := filepath.Join(dir, "graph"), filepath.Join(dir, "graph.br")
	for path, content := range map[string]string{plain: "0123456789", encoded: "brotli"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := &File{Path: plain, ContentType: "application/octet-stream", SHA256: strings.Repeat("ab", 32), Encoded: map[string]string{"br": encoded}}
	for name, c := range map[string]struct {
		header               map[string]string
		status               int
		body, encoding, size string
		etag                 string
	}{
		"whole":       {nil, 200, "0123456789", "", "10", `"abababababababab"`},
		"compressed":  {map[string]string{"Accept-Encoding": "gzip, br"}, 200, "brotli", "br", "6", `"abababababababab-br"`},
		"only gzip":   {map[string]string{"Accept-Encoding": "gzip"}, 200, "0123456789", "", "10", `"abababababababab"`},
		"resumed":     {map[string]string{"Accept-Encoding": "identity", "Range": "bytes=4-"}, 206, "456789", "", "6", `"abababababababab"`},
		"beyond":      {map[string]string{"Range": "bytes=40-"}, 416, "", "", "", ""},
		"known":       {map[string]string{"If-None-Match": `"abababababababab"`}, 304, "", "", "", `"abababababababab"`},
		"known other": {map[string]string{"If-None-Match": `"abababababababab-br"`}, 200, "0123456789", "", "10", `"abababababababab"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			for field, value := range c.header {
				r.Header.Set(field, value)
			}
			w := httptest.NewRecorder()
			f.ServeHTTP(w, r)
			h := w.Header()
			if w.Code != c.status || c.status < 300 && w.Body.String() != c.body || h.Get("Content-Encoding") != c.encoding {
				t.Errorf("%d %q %v", w.Code, w.Body, h)
			}
			if c.size != "" && h.Get("Content-Length") != c.size || c.etag != "" && h.Get("Etag") != c.etag {
				t.Errorf("headers %v", h)
			}
		})
	}
}

func TestFileThatIsGone(t *testing.T) {
	w := httptest.NewRecorder()
	(&File{Path: filepath.Join(t.TempDir(), "x"), SHA256: strings.Repeat("0", 64)}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError {
		t.Errorf("status %d", w.Code)
	}
}
