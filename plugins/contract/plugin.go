package contract

import (
	"context"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"bgremover.pro/plugins/contract/proto"
)

// Plugin carries a Backend over go-plugin's gRPC.
type Plugin struct {
	plugin.NetRPCUnsupportedPlugin
	// Impl is the real backend; the host leaves it nil.
	Impl Backend
}

// Plugins is the set that a host dispenses from, under Name.
func Plugins() plugin.PluginSet { return plugin.PluginSet{Name: &Plugin{}} }

// GRPCServer registers the real backend in the plugin process.
func (p *Plugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	proto.RegisterBackendServer(s, &server{backend: p.Impl})
	return nil
}

// GRPCClient returns a *Client, through which the host calls the backend. The
// context that go-plugin gives is done when the process has ended.
func (p *Plugin) GRPCClient(ctx context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return &Client{
		backend: proto.NewBackendClient(conn),
		health:  grpc_health_v1.NewHealthClient(conn),
		done:    ctx.Done(),
	}, nil
}

// ClientConfig returns what every host of a backend must set. The caller adds
// the command, its environment, security, and Stderr, a writer that gets what
// the process writes there. The logger is off because go-plugin, when it has
// one, parses those lines as JSON and panics in the host on {"@message": 1}.
func ClientConfig() *plugin.ClientConfig {
	return &plugin.ClientConfig{
		HandshakeConfig:  Handshake,
		Plugins:          Plugins(),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SkipHostEnv:      true,
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Off}),
		GRPCDialOptions: []grpc.DialOption{grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage))},
	}
}
