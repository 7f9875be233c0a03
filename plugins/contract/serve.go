package contract

import (
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// Serve is the whole main of a backend written in Go: it serves until the host asks
// it to end or is gone. It writes the handshake line to standard output; nothing
// else may be written there before. Further gRPC options are for tests.
func Serve(backend Backend, further ...grpc.ServerOption) {
	stderr := os.Stderr // go-plugin replaces it
	go EndWithHost()
	// A service manager sends TERM to every process of the service, but the host still
	// wants its running pictures answered; this process ends with it.
	signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: Handshake,
		Plugins:         plugin.PluginSet{Name: &Plugin{Impl: backend}},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			options = append(options, grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
			return grpc.NewServer(append(options, further...)...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: stderr}),
	})
}

// parentAtStart is read before anything else runs: a host that ends right after it
// started us must not leave us with another parent that we take for it.
var parentAtStart = os.Getppid()

// EndWithHost ends the process as soon as the host is gone; it never returns.
// Without a pipe from the host it watches the parent's process id, which changes
// when the parent ends. Serve runs it; a main that works for long before Serve
// should too.
func EndWithHost() {
	if fd, err := strconv.Atoi(os.Getenv(EnvHostPipe)); err == nil && fd > 2 {
		if pipe := os.NewFile(uintptr(fd), "host"); pipe != nil {
			_, _ = io.Copy(io.Discard, pipe)
			os.Exit(0)
		}
	}
	for os.Getppid() == parentAtStart {
		time.Sleep(time.Second)
	}
	os.Exit(0)
}

// NewLogger returns a logger that writes to the process's current stderr: call it
// before Serve, which redirects stderr. The host keeps the last lines for the
// operator who must find out why a backend ended.
func NewLogger() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{} // the host adds its own
			}
			return a
		},
	}))
}
