package load_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestIdleConnectionsDoNotKeepVisitorsOut opens as many connections as the server
// accepts by default, each from another network, and keeps each alive after a
// request. The next visitor must be served while they are open.
func TestIdleConnectionsDoNotKeepVisitorsOut(t *testing.T) {
	const idle = 4096
	s := start(t, "", "")
	address := strings.TrimPrefix(s.Base, "http://")
	for i := range idle {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, byte(1+i/250), byte(1+i%250), 1)}}
		conn, err := dialer.DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: load\r\n\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second) // they are closed a minute after their request
	defer cancel()
	status, _, err := ask(ctx, client(t, "127.250.0.1"), http.MethodGet, s.Base+"/", nil)
	if err != nil || status != http.StatusOK {
		t.Fatalf("the next visitor got %d: %v", status, err)
	}
	t.Logf("served beside %d idle connections in %v", idle, time.Since(began).Round(time.Millisecond))
}
