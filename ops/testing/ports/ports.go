// Package ports finds addresses for servers that tests start.
package ports

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Free is an address of this machine where nobody listens. Its port is below those that
// the system gives to connections, so none takes it before a server does, or while that
// server is down.
func Free(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10000 + rand.IntN(20000)) //nolint:gosec // no secret
		listener, err := net.Listen("tcp", ":"+port)
		if err == nil {
			_ = listener.Close()
			return "127.0.0.1:" + port
		}
	}
	t.Fatal("no port is free")
	return ""
}
