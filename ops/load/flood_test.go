// Package load_test measures a whole server from outside, over loopback.
package load_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	rounds     = 15
	perSecond  = 1000 // rejected requests in the flood that must not hurt
	senders    = 8
	floodsFrom = "127.0.0.2"
	visitsFrom = "127.0.7.1"
)

// flood is one way to send requests that the limits refuse.
type flood struct {
	name      string
	perSecond int  // 0: as many as the machine can send
	reconnect bool // each request over a connection of its own
	to        string

	refused, other atomic.Int64
	took           time.Duration
	cutouts        []time.Duration // what a visitor waited meanwhile
}

// BenchmarkFlood cuts out the same photo in a calm and under each kind of
// flood, in turn. It needs bin/bgremover and an installed model (make setup).
// The generator runs on the same machine, so the ratios count its work too; the
// flood called bare, of a handler that does nothing but refuse, shows how much of
// the slow-down that and the system's network are.
func BenchmarkFlood(b *testing.B) {
	// The flooder may send one photo; the visitor is not limited.
	s := start(b, "limits_device = \"1/1h\"\nlimits_overrides = \""+visitsFrom+"=off\"\n", "backend is ready")
	photo := read(b, photoFile)
	visitor := client(b, visitsFrom)
	s.cutout(b, visitor, photo)               // warms up
	s.cutout(b, client(b, floodsFrom), photo) // uses up the flooder's quota
	bare := bareHandler(b)
	for b.Loop() {
		calm := &flood{}
		floods := []*flood{
			{name: "flood", perSecond: perSecond},
			{name: "reconnecting", perSecond: perSecond, reconnect: true},
			{name: "storm"},
			{name: "bare", perSecond: perSecond, to: bare},
		}
		before := s.Status(b, "VmRSS")
		for range rounds {
			calm.cutouts = append(calm.cutouts, s.cutout(b, visitor, photo))
			for _, f := range floods {
				s.under(b, f, func() { f.cutouts = append(f.cutouts, s.cutout(b, visitor, photo)) })
			}
		}
		b.ReportMetric(median(calm.cutouts).Seconds()*1000, "calm-ms")
		for _, f := range floods {
			b.ReportMetric(median(f.cutouts).Seconds()/median(calm.cutouts).Seconds(), f.name+"-ratio")
			b.ReportMetric(float64(f.refused.Load())/f.took.Seconds(), f.name+"-refusals/s")
			if n := f.other.Load(); n > 0 {
				b.Errorf("%s: %d answers were no 429", f.name, n)
			}
		}
		b.ReportMetric(float64(s.Status(b, "VmRSS")-before)/1e6, "growth-MB")
		b.ReportMetric(s.costOfRefusal(b, &flood{perSecond: perSecond}), "server-µs/refusal")
		b.ReportMetric(s.costOfRefusal(b, &flood{perSecond: perSecond, reconnect: true}), "server-µs/reconnecting")
	}
}

// bareHandler refuses whatever comes, and returns its address.
func bareHandler(b *testing.B) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, strings.Repeat("Too many. ", 30), http.StatusTooManyRequests)
	}))
	b.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// under does work while a flood comes in.
func (s *server) under(b *testing.B, f *flood, work func()) {
	ctx, cancel := context.WithCancel(b.Context())
	var all sync.WaitGroup
	began := time.Now()
	for range senders {
		all.Go(func() { f.send(ctx, cmp.Or(f.to, strings.TrimPrefix(s.Base, "http://")), began) })
	}
	work()
	cancel()
	all.Wait()
	f.took += time.Since(began)
}

// send is one of the senders, until ctx ends.
func (f *flood) send(ctx context.Context, to string, began time.Time) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(floodsFrom)}}
	var conn net.Conn
	var answers *bufio.Reader
	hangUp := func() {
		if conn != nil {
			conn.Close()
		}
		conn = nil
	}
	defer hangUp()
	for n := 0; ctx.Err() == nil; n++ {
		if f.perSecond > 0 {
			// All senders at once: one wake-up of the generator for all of them.
			due := began.Add(time.Duration(n*senders) * time.Second / time.Duration(f.perSecond))
			select {
			case <-time.After(time.Until(due)):
			case <-ctx.Done():
				return
			}
		}
		if conn == nil {
			var err error
			if conn, err = dialer.DialContext(ctx, "tcp", to); err != nil {
				continue // no port left for a moment
			}
			answers = bufio.NewReader(conn)
		}
		status, last, err := refusal(conn, answers)
		switch {
		case err != nil: // the server hung up
		case status == http.StatusTooManyRequests:
			f.refused.Add(1)
		default:
			f.other.Add(1)
		}
		if err != nil || last || f.reconnect {
			hangUp()
		}
	}
}

// refusal sends one request and reads its answer with as little work as can be,
// as the generator shares the machine. last says that the server hangs up.
func refusal(conn net.Conn, answers *bufio.Reader) (status int, last bool, err error) {
	const request = "POST /api/v1/cutouts HTTP/1.1\r\nHost: load\r\nUser-Agent: Go-http-client/1.1\r\n" +
		"Content-Type: application/octet-stream\r\nAccept-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"
	if _, err = io.WriteString(conn, request); err != nil {
		return 0, false, err
	}
	lines := textproto.Reader{R: answers}
	line, err := lines.ReadLine()
	if err != nil {
		return 0, false, err
	}
	if _, err = fmt.Sscanf(line, "HTTP/1.1 %d", &status); err != nil {
		return 0, false, err
	}
	length := 0
	for line != "" {
		if line, err = lines.ReadLine(); err != nil {
			return 0, false, err
		}
		if value, found := strings.CutPrefix(line, "Content-Length: "); found {
			length, _ = strconv.Atoi(value)
		}
		last = last || line == "Connection: close"
	}
	_, err = answers.Discard(length)
	return status, last, err
}

// costOfRefusal is the processor time, in microseconds, that the server itself
// spends on one.
func (s *server) costOfRefusal(b *testing.B, f *flood) float64 {
	before := s.ProcessorTime(b)
	s.under(b, f, func() { <-time.After(3 * time.Second) })
	return float64((s.ProcessorTime(b) - before).Microseconds()) / float64(max(1, f.refused.Load()))
}

func median(all []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}
