package edgetest

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	rounds   = 41
	requests = 200 // a round
)

// BenchmarkThroughput takes the first page and a static object of the same
// size in turn, through Varnish and from the origin, and gives the middle of
// the ratios: 1 means that a page costs what a static object costs.
func BenchmarkThroughput(b *testing.B) {
	o := startOrigin(b)
	page := (&visitor{t: b, client: http.DefaultClient, base: "http://" + o.address}).get("/", "Accept-Encoding", "br")
	defer http.DefaultClient.CloseIdleConnections()
	object := []byte(page.body)
	o.extra = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(object)))
		w.Header().Set("Cache-Control", "public, max-age=3600")
		_, _ = w.Write(object)
	})
	bare := bareServer(b, object)
	b.Run("varnish", func(b *testing.B) {
		address := strings.TrimPrefix(startVarnish(b, o).url, "http://")
		ratio(b, address, "/", address, "/bare/object")
	})
	b.Run("nginx", func(b *testing.B) {
		address := strings.TrimPrefix(startNginx(b, o).url, "http://")
		ratio(b, address, "/", address, "/bare/object")
	})
	b.Run("origin", func(b *testing.B) {
		ours := listening(b, o.server)
		ratio(b, ours, "/", bare, "/")
	})
}

// bareServer writes the same bytes with nothing but net/http.
func bareServer(b *testing.B, object []byte) string {
	return listening(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(object)))
		_, _ = w.Write(object)
	}))
}

func listening(b *testing.B, h http.Handler) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() { _ = server.Serve(listener); close(done) }()
	b.Cleanup(func() { _ = server.Close(); <-done })
	return listener.Addr().String()
}

// ratio reports how many times as fast the first comes as the second.
func ratio(b *testing.B, address, path, otherAddress, otherPath string) {
	page, object := keepAlive(b, address, path), keepAlive(b, otherAddress, otherPath)
	page(requests)
	object(requests)
	for b.Loop() {
		var ratios []float64
		for range rounds {
			ratios = append(ratios, object(requests).Seconds()/page(requests).Seconds())
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[rounds/2], "of-static")
	}
}

// keepAlive asks for one address again and again over one connection a round,
// with as little work of its own as possible.
func keepAlive(b *testing.B, address, path string) func(n int) time.Duration {
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: br\r\n\r\n")
	return func(n int) time.Duration {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		reader := bufio.NewReader(conn)
		began := time.Now()
		for range n {
			if _, err := conn.Write(request); err != nil {
				b.Fatal(err)
			}
			length := -1
			for first := true; ; first = false {
				line, err := reader.ReadSlice('\n')
				if err != nil || first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
					b.Fatalf("%s %v", line, err)
				}
				if len(line) == 2 {
					break
				}
				if name, value, _ := bytes.Cut(line, []byte(": ")); string(name) == "Content-Length" {
					length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
				}
			}
			if length < 0 {
				b.Fatal("no length")
			}
			if _, err := io.CopyN(io.Discard, reader, int64(length)); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(began)
	}
}
