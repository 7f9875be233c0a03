package contract

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/health/grpc_health_v1"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract/proto"
)

// healthService is the name under which go-plugin's health service answers.
const healthService = "plugin"

// Client is the host's stand-in for a backend in another process. Every call
// ends with its context, also while the process is stopped or hangs.
type Client struct {
	backend proto.BackendClient
	health  grpc_health_v1.HealthClient
	done    <-chan struct{}
}

// Done is closed when the process has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Health asks the backend whether it is serving. A process that hangs never
// answers: give ctx a deadline. Code: BackendUnavailable, Timeout, Canceled.
func (c *Client) Health(ctx context.Context) error {
	answer, err := c.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: healthService})
	if err != nil {
		return fromStatus(ctx, err)
	}
	if answer.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		return cutout.Errorf(cutout.BackendUnavailable, "the backend reports the status %s", answer.Status)
	}
	return nil
}

// Describe implements Backend.
func (c *Client) Describe(ctx context.Context) (Description, error) {
	d, err := c.backend.Describe(ctx, &proto.DescribeRequest{})
	if err != nil {
		return Description{}, fromStatus(ctx, err)
	}
	return Description{
		Name: d.Name, Version: d.Version, Device: d.Device, Provider: d.Provider, Runtime: d.Runtime,
		MaxBatch: int(max(d.MaxBatch, 1)), Models: d.Models, Memory: d.MemoryBytes,
		Running: int(d.Running),
	}, nil
}

// Load implements Backend.
func (c *Client) Load(ctx context.Context, model cutout.Model) ([]int, error) {
	answer, err := c.backend.Load(ctx, &proto.LoadRequest{Model: toProto(model)})
	if err != nil {
		return nil, fromStatus(ctx, err)
	}
	sizes := make([]int, len(answer.Sizes))
	for i, s := range answer.Sizes {
		sizes[i] = int(s)
	}
	return sizes, nil
}

// Unload implements Backend.
func (c *Client) Unload(ctx context.Context, name string) error {
	_, err := c.backend.Unload(ctx, &proto.UnloadRequest{Model: name})
	return fromStatus(ctx, err)
}

// Segment implements Backend. A mask that is not of the input's size is an
// Internal error: the backend broke the contract.
func (c *Client) Segment(ctx context.Context, model string, input *cutout.Input) (*cutout.Mask, Timing, error) {
	if err := checkPixels(input.Width, input.Height, len(input.Pix)); err != nil {
		return nil, Timing{}, err
	}
	answer, err := c.backend.Segment(ctx, &proto.SegmentRequest{
		Model: model, Width: uint32(input.Width), Height: uint32(input.Height), Rgb: input.Pix,
	})
	if err != nil {
		return nil, Timing{}, fromStatus(ctx, err)
	}
	if int(answer.Width) != input.Width || int(answer.Height) != input.Height || len(answer.Mask) != input.Width*input.Height {
		err := fmt.Errorf("mask of %dx%d in %d bytes for a picture of %dx%d",
			answer.Width, answer.Height, len(answer.Mask), input.Width, input.Height)
		return nil, Timing{}, cutout.Wrap(cutout.Internal, err, "The backend returned a broken mask.")
	}
	mask := &cutout.Mask{Width: input.Width, Height: input.Height, Pix: answer.Mask}
	timing := Timing{Queued: time.Duration(answer.QueuedNanoseconds), Inference: time.Duration(answer.InferenceNanoseconds)}
	return mask, timing, nil
}

func checkPixels(width, height, bytes int) error {
	if width < 1 || height < 1 || width > MaxSize || height > MaxSize {
		return cutout.Errorf(cutout.Invalid, "the picture has a size of %dx%d; a backend takes 1 to %d pixels a side", width, height, MaxSize)
	}
	if bytes != 3*width*height {
		return cutout.Errorf(cutout.Invalid, "the picture has %d bytes; %dx%d takes %d", bytes, width, height, 3*width*height)
	}
	return nil
}
