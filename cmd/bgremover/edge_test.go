package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bgremover.pro/core/httpcache"
)

// The settings say what is purged; each edge's outcome is reported, and if one
// fails, so does the command.
func TestEdgePurge(t *testing.T) {
	var tags []string
	varnish := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tags = append(tags, r.Method+" "+r.Header.Get("Xkey-Purge"))
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte("HTTP/1.1 200 Purged 3\r\nContent-Length: 0\r\n\r\n"))
			conn.Close()
		}
	}))
	defer varnish.Close()
	t.Chdir(t.TempDir())

	purge := func() (string, error) {
		var out strings.Builder
		cmd := edgeCommand()
		cmd.SetArgs([]string{"purge"})
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SilenceUsage = true
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	if _, err := purge(); err == nil || !strings.Contains(err.Error(), "no cache to purge") {
		t.Errorf("without edges: %v", err)
	}
	t.Setenv("BGREMOVER_EDGE_VARNISH", varnish.URL)
	out, err := purge()
	if err != nil || out != "Varnish "+varnish.URL+": purged\n" || len(tags) != 1 || tags[0] != "PURGE "+httpcache.PagesTag {
		t.Errorf("%q, %v, asked for %q", out, err, tags)
	}
	t.Setenv("BGREMOVER_EDGE_NGINX", varnish.URL)
	out, err = purge()
	if err == nil || !strings.Contains(err.Error(), "1 of 2") || !strings.Contains(out, "nginx "+varnish.URL+": /") {
		t.Errorf("%q, %v", out, err)
	}
}
