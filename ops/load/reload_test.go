package load_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestReloadUnderLoad changes the settings, for better and for worse, while
// visitors look at pages and send files; none of them may notice.
func TestReloadUnderLoad(t *testing.T) {
	s := start(t, "limits_device = \"off\"\nlimits_network = \"off\"\n", "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var answers atomic.Int64
	var visitors sync.WaitGroup
	for n := range 4 {
		c := client(t, fmt.Sprintf("127.0.9.%d", n+1))
		visitors.Go(func() {
			for ctx.Err() == nil {
				for _, request := range []struct {
					method, path, body string
					want               int
				}{
					{http.MethodGet, "/", "", http.StatusOK},
					{http.MethodGet, "/device/quota", "", http.StatusOK},
					{http.MethodPost, "/api/v1/cutouts", "no photo", http.StatusUnsupportedMediaType},
				} {
					status, body, err := ask(ctx, c, request.method, s.Base+request.path, bytes.NewReader([]byte(request.body)))
					if ctx.Err() != nil {
						return
					}
					if err != nil || status != request.want {
						t.Errorf("%s %s: %d %v %.200s", request.method, request.path, status, err, body)
					}
					answers.Add(1)
				}
			}
		})
	}
	for round := range 6 {
		s.Write(t, fmt.Sprintf("limits_device = \"%d/1h\"\nlimits_network = \"off\"\naccess_log_format = \"json\"\n", 100_000+round))
		s.Await(t, fmt.Sprintf("to=%d/1h", 100_000+round))
		s.Write(t, "limits_device = \"none\"\n")
		s.Await(t, "configuration reload failed")
		if err := s.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.Await(t, "cause=SIGHUP")
		for seen := answers.Load(); answers.Load() < seen+10; { // by the settings of this round
			if t.Failed() {
				t.FailNow()
			}
			<-time.After(10 * time.Millisecond)
		}
	}
	cancel()
	visitors.Wait()
	answer, err := client(t, "127.0.8.1").Post(s.Base+"/api/v1/cutouts", "image/jpeg", strings.NewReader("no photo"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if policy := answer.Header.Get("RateLimit-Policy"); !strings.Contains(policy, "q=100005") {
		t.Errorf("the last good settings are not in force: %s", policy)
	}
}
