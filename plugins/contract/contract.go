// Package contract is what a host and an inference backend agree on: the
// handshake, the messages (proto/backend.proto) and the adapters that carry
// the Backend interface over gRPC. Neither side sees gRPC beyond this package.
package contract

//go:generate protoc -I ../.. --go_out=../.. --go_opt=module=bgremover.pro --go-grpc_out=../.. --go-grpc_opt=module=bgremover.pro plugins/contract/proto/backend.proto

import (
	"context"
	"time"

	"github.com/hashicorp/go-plugin"

	"bgremover.pro/core/cutout"
)

// Handshake tells a backend that it was started by BGRemover and not by hand. It is
// not a security measure. ProtocolVersion changes when an old backend can
// no longer serve a new host.
var Handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "BGREMOVER_BACKEND",
	MagicCookieValue: "pixels-in-mask-out",
}

// Name is the one plugin that a backend process serves.
const Name = "backend"

// Backend is an inference backend: in the plugin process the real one, in the host
// the client that calls it. It is safe for concurrent use.
type Backend interface {
	// Describe says what the backend is and what it actually runs on.
	Describe(ctx context.Context) (Description, error)
	// Load makes a model ready, replacing one of the same name. It returns the
	// input sizes now ready. Codes: Invalid (no such model in those files),
	// BackendUnavailable (the device cannot take it).
	Load(ctx context.Context, model cutout.Model) (sizes []int, err error)
	// Unload frees a model; an unknown name is not an error.
	Unload(ctx context.Context, name string) error
	// Segment runs a loaded model. The end of ctx stops the run. Codes:
	// Invalid (size or model unknown), Canceled, Timeout, BackendUnavailable,
	// Internal.
	Segment(ctx context.Context, model string, input *cutout.Input) (*cutout.Mask, Timing, error)
}

// Description is what a backend reports about itself.
type Description struct {
	Name, Version string
	Device        string // actually in use: "cpu", "cuda:0"
	Provider      string
	Runtime       string
	MaxBatch      int
	Models        []string
	Memory        uint64 // bytes resident, 0 if unknown
	Running       int    // runs in progress or waiting; the server that serves a Backend counts them
}

// Timing says how one Segment spent its time inside the plugin.
type Timing struct {
	Queued    time.Duration
	Inference time.Duration
}

// MaxSize is the largest input, in pixels a side, that the contract carries.
const MaxSize = 4096

// maxMessage bounds one message either way: an input of MaxSize and some room.
const maxMessage = 64 << 20

// Environment variables that the host sets for a backend. A backend in another
// language needs only EnvHostPipe, and may watch its parent's id instead.
const (
	// EnvHostPipe is the number of an inherited file descriptor; when reading
	// from it ends, the host is gone and the backend ends too.
	EnvHostPipe = "BGREMOVER_HOST_PIPE"
	// EnvRuntime is the absolute path of the ONNX Runtime library.
	EnvRuntime = "BGREMOVER_ONNXRUNTIME"
	// EnvThreads is the number of threads of one run; empty means all the
	// processors that the process may use.
	EnvThreads = "BGREMOVER_THREADS"
	// EnvConcurrency is the number of pictures that the host sends at a time; empty means
	// one.
	EnvConcurrency = "BGREMOVER_CONCURRENCY"
	// EnvDevice is the device to use, such as "cuda:1"; empty means the first.
	EnvDevice = "BGREMOVER_DEVICE"
	// EnvDeviceMemory bounds the device memory used, such as "4GiB".
	EnvDeviceMemory = "BGREMOVER_DEVICE_MEMORY"
)
