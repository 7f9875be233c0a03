package load_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkFairShares cuts out a photo for one visitor after another, alone, and
// while one other visitor has sent 36 photos in mode best and three uploads that
// trickle. Trusted, the generator speaks for all of them.
func BenchmarkFairShares(b *testing.B) {
	const visits = 5
	s := start(b, "limits_device = \"off\"\nlimits_network = \"off\"\ntrusted_proxies = \"127.0.0.1\"\n", "backend is ready")
	photo := enlarged(b, 12)
	visit := func(n int) time.Duration {
		began := time.Now()
		r, err := s.sendAs(b.Context(), 100+n, "/api/v1/cutouts", "image/jpeg", photo)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
		if r.StatusCode != http.StatusOK {
			b.Fatal(r.Status)
		}
		return time.Since(began)
	}
	visit(0) // warms up
	for b.Loop() {
		var alone, meanwhile []time.Duration
		for n := range visits {
			alone = append(alone, visit(n))
		}
		end := s.besiege(b, photo)
		for n := range visits {
			meanwhile = append(meanwhile, visit(n))
		}
		end()
		b.ReportMetric(median(alone).Seconds(), "alone-s")
		b.ReportMetric(median(meanwhile).Seconds(), "meanwhile-s")
		b.ReportMetric(median(meanwhile).Seconds()/median(alone).Seconds(), "ratio")
	}
}

// besiege has one visitor keep 36 photos on their way, until what it returns is
// called.
func (s *server) besiege(b *testing.B, photo []byte) (end func()) {
	ctx, cancel := context.WithCancel(b.Context())
	var all sync.WaitGroup
	for range 36 {
		all.Go(func() {
			for ctx.Err() == nil {
				r, err := s.sendAs(ctx, 1, "/api/v1/cutouts?mode=best", "image/jpeg", photo)
				if err != nil {
					continue
				}
				_, _ = io.Copy(io.Discard, r.Body)
				r.Body.Close()
				if r.StatusCode != http.StatusOK { // as told to by Retry-After, nearly
					select {
					case <-ctx.Done():
					case <-time.After(time.Second):
					}
				}
			}
		})
	}
	for range 3 {
		all.Go(func() {
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.Base, "http://"))
			if err != nil {
				return
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST /api/v1/cutouts HTTP/1.1\r\nHost: load\r\nX-Forwarded-For: 198.51.0.1\r\nContent-Length: %d\r\n\r\n", len(photo))
			for at := 0; ctx.Err() == nil && at < len(photo); at += 4 << 10 {
				if _, err := conn.Write(photo[at:min(at+4<<10, len(photo))]); err != nil {
					return
				}
				<-time.After(200 * time.Millisecond)
			}
		})
	}
	return func() {
		cancel()
		all.Wait()
	}
}
