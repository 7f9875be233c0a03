package app

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestAFloodOfLines: a client that makes every request fail cannot fill the
// disk with the server log, nor hide other messages.
func TestAFloodOfLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		missing := 0
		q := newQuiet(slog.NewTextHandler(&out, nil), func() { missing++ })
		log := slog.New(q)
		backend, failure := strings.Repeat("b", 10_000), errors.New(strings.Repeat("e", 1<<20))
		for range 20_000 {
			log.With("backend", backend).Error("request failed", "error", failure)
		}
		log.Info("something else")
		if missing != 19_921 || out.Len() > 80*(2*maxField+300) || !strings.Contains(out.String(), "something else") {
			t.Errorf("%d dropped, %d bytes", missing, out.Len())
		}
		out.Reset()
		<-time.After(time.Minute)
		log.Error("request failed", "stderr", []string{"short"})
		if !strings.Contains(out.String(), `msg="log lines dropped" message="request failed" lines=19921`) || !strings.Contains(out.String(), "stderr=[short]") {
			t.Errorf("after a minute: %s", out.String())
		}
		for range 61 {
			log.Error("request failed")
		}
		out.Reset()
		q.end()
		if !strings.Contains(out.String(), "lines=2") {
			t.Errorf("at the end: %s", out.String())
		}
	})
}
