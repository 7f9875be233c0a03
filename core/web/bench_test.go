package web

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"bgremover.pro/core/device"
	"bgremover.pro/core/ratelimit"
)

// BenchmarkPage compares a page, over a real connection, with a bare handler
// that writes the same bytes: run both and take the ratio.
func BenchmarkPage(b *testing.B) {
	limiter, err := ratelimit.New(ratelimit.Options{})
	if err != nil {
		b.Fatal(err)
	}
	settings := defaultSettings()
	s, err := New(Options{
		Remover: removerFunc(succeed), Limiter: limiter, Devices: device.New(device.Options{}),
		Settings: func() *Settings { return settings },
	})
	if err != nil {
		b.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("Accept-Encoding", "br")
	page := httptest.NewRecorder()
	s.ServeHTTP(page, request)
	body := page.Body.Bytes()
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", htmlType)
		_, _ = w.Write(body)
	})
	b.Run("ours", func(b *testing.B) { benchmark(b, s) })
	b.Run("bare", func(b *testing.B) { benchmark(b, bare) })
}

func benchmark(b *testing.B, h http.Handler) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go server.Serve(listener)
	defer server.Close()
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequest(http.MethodGet, "http://"+listener.Addr().String()+"/", nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "br")
	b.ReportAllocs()
	for b.Loop() {
		answer, err := transport.RoundTrip(request)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}
