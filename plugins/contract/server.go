package contract

import (
	"context"
	"sync/atomic"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract/proto"
)

// server serves a Backend to the host. It checks what the host sends, so that
// a backend may rely on its shape.
type server struct {
	proto.UnimplementedBackendServer
	backend Backend
	running atomic.Int32
}

func (s *server) Describe(ctx context.Context, _ *proto.DescribeRequest) (*proto.Description, error) {
	d, err := s.backend.Describe(ctx)
	if err != nil {
		return nil, toStatus(err)
	}
	return &proto.Description{
		Name: d.Name, Version: d.Version, Device: d.Device, Provider: d.Provider, Runtime: d.Runtime,
		MaxBatch: uint32(max(d.MaxBatch, 1)), Models: d.Models, MemoryBytes: d.Memory,
		Running: uint32(s.running.Load()),
	}, nil
}

func (s *server) Load(ctx context.Context, r *proto.LoadRequest) (*proto.LoadResponse, error) {
	model, err := fromProto(r.GetModel())
	if err != nil {
		return nil, toStatus(err)
	}
	sizes, err := s.backend.Load(ctx, model)
	if err != nil {
		return nil, toStatus(err)
	}
	answer := &proto.LoadResponse{}
	for _, size := range sizes {
		answer.Sizes = append(answer.Sizes, uint32(size))
	}
	return answer, nil
}

func (s *server) Unload(ctx context.Context, r *proto.UnloadRequest) (*proto.UnloadResponse, error) {
	if err := s.backend.Unload(ctx, r.Model); err != nil {
		return nil, toStatus(err)
	}
	return &proto.UnloadResponse{}, nil
}

func (s *server) Segment(ctx context.Context, r *proto.SegmentRequest) (*proto.SegmentResponse, error) {
	if err := checkPixels(int(r.Width), int(r.Height), len(r.Rgb)); err != nil {
		return nil, toStatus(err)
	}
	s.running.Add(1)
	defer s.running.Add(-1)
	input := &cutout.Input{Width: int(r.Width), Height: int(r.Height), Pix: r.Rgb}
	mask, timing, err := s.backend.Segment(ctx, r.Model, input)
	if err != nil {
		return nil, toStatus(err)
	}
	return &proto.SegmentResponse{
		Width: uint32(mask.Width), Height: uint32(mask.Height), Mask: mask.Pix,
		QueuedNanoseconds: uint64(timing.Queued), InferenceNanoseconds: uint64(timing.Inference),
	}, nil
}
