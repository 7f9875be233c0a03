// Package load_test measures a whole server from outside, over loopback.
package load_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	rounds     = 5
	perSecond  = 1000 // rejected requests in the flood that must not hurt
	floodsFrom = "127.0.0.2"
	visitsFrom = "127.0.7.1"
)

// BenchmarkFlood cuts out the same photo in a calm, under 1,000 rejected
// requests a second from one network, and under as many as this machine can
// send, in turn. It needs bin/bgremover and an installed model (make setup).
// The generator runs on the same machine, so the ratios count its work too.
func BenchmarkFlood(b *testing.B) {
	s := startServer(b)
	photo := read(b, "../../../shared/photos/truth/davis_dog.jpg")
	visitor := client(b, visitsFrom)
	s.cutout(b, visitor, photo)               // warms up
	s.cutout(b, client(b, floodsFrom), photo) // uses up the flooder's quota
	for b.Loop() {
		var calm, flood, storm []time.Duration
		var floods, storms load
		before := s.memory(b)
		for range rounds {
			calm = append(calm, s.cutout(b, visitor, photo))
			flood = append(flood, s.under(b, &floods, perSecond, func() time.Duration { return s.cutout(b, visitor, photo) }))
			storm = append(storm, s.under(b, &storms, 0, func() time.Duration { return s.cutout(b, visitor, photo) }))
		}
		b.ReportMetric(median(calm).Seconds()*1000, "calm-ms")
		b.ReportMetric(median(flood).Seconds()/median(calm).Seconds(), "flood-ratio")
		b.ReportMetric(median(storm).Seconds()/median(calm).Seconds(), "storm-ratio")
		b.ReportMetric(floods.rate(), "flood-refusals/s")
		b.ReportMetric(storms.rate(), "storm-refusals/s")
		b.ReportMetric(s.costOfRefusal(b), "server-µs/refusal")
		b.ReportMetric(float64(s.memory(b)-before)/1e6, "growth-MB")
		if floods.other+storms.other > 0 {
			b.Errorf("%d answers to the flood were no 429", floods.other+storms.other)
		}
	}
}

// load is what a generator did.
type load struct {
	refused, other int64
	took           time.Duration
}

func (l load) rate() float64 { return float64(l.refused) / l.took.Seconds() }

// under runs work while requests that the limits refuse come in: perSecond of
// them, or as many as the machine can send where that is 0.
func (s *server) under(b *testing.B, total *load, perSecond int, work func() time.Duration) time.Duration {
	ctx, cancel := context.WithCancel(b.Context())
	var refused, other atomic.Int64
	var senders sync.WaitGroup
	began := time.Now()
	const workers = 8
	for w := range workers {
		c := client(b, floodsFrom)
		senders.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if perSecond > 0 {
					due := began.Add(time.Duration(n*workers+w) * time.Second / time.Duration(perSecond))
					select {
					case <-time.After(time.Until(due)):
					case <-ctx.Done():
						return
					}
				}
				status, err := s.post(ctx, c, []byte("x"))
				switch {
				case err != nil: // the end, or no port left for a moment
				case status == http.StatusTooManyRequests:
					refused.Add(1)
				default:
					other.Add(1)
				}
			}
		})
	}
	took := work()
	cancel()
	senders.Wait()
	total.refused += refused.Load()
	total.other += other.Load()
	total.took += time.Since(began)
	return took
}

// costOfRefusal is the processor time that the server itself spends on one.
func (s *server) costOfRefusal(b *testing.B) float64 {
	before := s.processorTime(b)
	var l load
	s.under(b, &l, 0, func() time.Duration { <-time.After(3 * time.Second); return 0 })
	return float64((s.processorTime(b) - before).Microseconds()) / float64(max(1, l.refused))
}

// server is the real binary.
type server struct {
	base string
	pid  int
}

func startServer(b *testing.B) *server {
	b.Helper()
	binary, err := filepath.Abs("../../bin/bgremover")
	if err != nil {
		b.Fatal(err)
	}
	public, operator := port(b), port(b)
	cmd := exec.Command(binary, "serve")
	// The flooder may send one photo; the visitor is not limited.
	cmd.Env = append(os.Environ(), "BGREMOVER_LISTEN=127.0.0.1:"+public, "BGREMOVER_ADMIN_LISTEN=127.0.0.1:"+operator, "BGREMOVER_LOG_DIR="+b.TempDir(),
		"BGREMOVER_LIMITS_DEVICE=1/1h", "BGREMOVER_LIMITS_OVERRIDES="+visitsFrom+"=off", "BGREMOVER_DRAIN_DELAY=0", "BGREMOVER_CONFIG=/dev/null")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatalf("run `make setup` first: %v", err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	deadline := time.Now().Add(2 * time.Minute)
	for time.Now().Before(deadline) {
		if answer, err := http.Get("http://127.0.0.1:" + operator + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return &server{"http://127.0.0.1:" + public, cmd.Process.Pid}
			}
		}
		<-time.After(100 * time.Millisecond)
	}
	b.Fatal("the server was not ready within two minutes")
	return nil
}

func port(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	_, number, _ := net.SplitHostPort(l.Addr().String())
	return number
}

// client speaks from an address of its own.
func client(b *testing.B, from string) *http.Client {
	b.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	b.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (s *server) post(ctx context.Context, c *http.Client, body []byte) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/api/v1/cutouts?mode=fast", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/octet-stream")
	answer, err := c.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

func (s *server) cutout(b *testing.B, c *http.Client, photo []byte) time.Duration {
	b.Helper()
	began := time.Now()
	status, err := s.post(b.Context(), c, photo)
	if err != nil || status != http.StatusOK {
		b.Fatalf("%d: %v", status, err)
	}
	return time.Since(began)
}

// memory is what the server's process keeps, in bytes.
func (s *server) memory(b *testing.B) int64 {
	fields := strings.Fields(string(read(b, fmt.Sprintf("/proc/%d/statm", s.pid))))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// processorTime is what the server's process has used, its backends left out.
func (s *server) processorTime(b *testing.B) time.Duration {
	_, rest, _ := strings.Cut(string(read(b, fmt.Sprintf("/proc/%d/stat", s.pid))), ") ")
	fields := strings.Fields(rest)
	var ticks int64
	for _, f := range fields[11:13] { // user and system, in hundredths of a second
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func median(all []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}

func read(b *testing.B, path string) []byte {
	b.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return content
}
