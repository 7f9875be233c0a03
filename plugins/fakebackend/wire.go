package main

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bgremover.pro/plugins/contract/proto"
)

// wire returns the server options for faults in how calls are answered, which the
// contract's own server handles correctly.
func (b *backend) wire() []grpc.ServerOption {
	var oneByOne sync.Mutex
	wrong := map[string]grpc.UnaryServerInterceptor{
		faultSerial: func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			oneByOne.Lock()
			defer oneByOne.Unlock()
			return next(ctx, r)
		},
		faultUncounted: func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			answer, err := next(ctx, r)
			if d, ok := answer.(*proto.Description); ok {
				d.Running = 0
			}
			return answer, err
		},
		faultNameless: func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			answer, err := next(ctx, r)
			if _, ok := r.(*proto.LoadRequest); ok && status.Code(err) == codes.InvalidArgument {
				return &proto.LoadResponse{}, nil
			}
			return answer, err
		},
		faultMute: func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			answer, err := next(ctx, r)
			if err != nil {
				err = status.Error(status.Code(err), "")
			}
			return answer, err
		},
		faultStatus: func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			answer, err := next(ctx, r)
			if status.Code(err) == codes.NotFound {
				err = status.Error(codes.InvalidArgument, status.Convert(err).Message())
			}
			return answer, err
		},
	}
	switch {
	case b.fault == faultSmall:
		return []grpc.ServerOption{grpc.MaxRecvMsgSize(16 << 20)}
	case wrong[b.fault] != nil:
		return []grpc.ServerOption{grpc.UnaryInterceptor(wrong[b.fault])}
	}
	return nil
}
