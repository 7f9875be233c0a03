package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"net"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"bgremover.pro/ops/testing/ports"
	"bgremover.pro/plugins/openinference/oip"
)

// testServer is a server generated from the protocol's own definition. Its one
// model answers the mean of the three channels.
type testServer struct {
	oip.UnimplementedGRPCInferenceServiceServer
	address  string
	datatype string
	silent   bool   // about its model's tensors
	token    string // that calls must carry
	side     int64  // the only one that its model takes; 0: every side
	ready    atomic.Bool
	calls    atomic.Int32 // with small pictures, unlike the one that Load sends
	all      atomic.Int32 // calls with any picture
	// infer, where set, stands before the answer to a small picture: an error is
	// returned.
	infer func(ctx context.Context, stop func()) error
	// change, where set, spoils the answer to a small picture.
	change func(*oip.ModelInferResponse)
	stop   func()
}

// serve starts a server that ends with the test; once stopped, it may be started
// again, at the same address.
func serve(t *testing.T, s *testServer, options ...grpc.ServerOption) *testServer {
	t.Helper()
	listener, err := net.Listen("tcp", cmp.Or(s.address, ports.Free(t)))
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(append([]grpc.ServerOption{grpc.MaxRecvMsgSize(maxMessage)}, options...)...)
	oip.RegisterGRPCInferenceServiceServer(g, s)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = g.Serve(listener)
	}()
	s.address, s.stop = listener.Addr().String(), g.Stop
	s.ready.Store(true)
	t.Cleanup(func() {
		g.Stop()
		<-ended
	})
	return s
}

func (s *testServer) allow(ctx context.Context) error {
	if s.token == "" {
		return nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	if got := md.Get("authorization"); len(got) != 1 || got[0] != "Bearer "+s.token {
		return status.Error(codes.Unauthenticated, "who are you?")
	}
	return nil
}

func (s *testServer) ServerReady(ctx context.Context, _ *oip.ServerReadyRequest) (*oip.ServerReadyResponse, error) {
	return &oip.ServerReadyResponse{Ready: s.ready.Load()}, s.allow(ctx)
}

func (s *testServer) ServerMetadata(ctx context.Context, _ *oip.ServerMetadataRequest) (*oip.ServerMetadataResponse, error) {
	return &oip.ServerMetadataResponse{Name: "test", Version: "7"}, s.allow(ctx)
}

func (s *testServer) ModelMetadata(ctx context.Context, r *oip.ModelMetadataRequest) (*oip.ModelMetadataResponse, error) {
	if r.Name != "mean" {
		return nil, status.Error(codes.NotFound, "no such model")
	}
	answer := &oip.ModelMetadataResponse{Name: r.Name}
	if !s.silent {
		side := cmp.Or(s.side, -1)
		answer.Inputs = []*oip.ModelMetadataResponse_TensorMetadata{{Name: "x", Datatype: s.kind(), Shape: []int64{-1, 3, side, side}}}
		answer.Outputs = []*oip.ModelMetadataResponse_TensorMetadata{{Name: "y", Datatype: fp32, Shape: []int64{-1, 1, side, side}}}
	}
	return answer, s.allow(ctx)
}

func (s *testServer) kind() string {
	if s.datatype == "" {
		return fp32
	}
	return s.datatype
}

func (s *testServer) ModelInfer(ctx context.Context, r *oip.ModelInferRequest) (*oip.ModelInferResponse, error) {
	shape := r.Inputs[0].Shape
	small := shape[2] == 32
	s.all.Add(1)
	if small {
		s.calls.Add(1)
	}
	if err := s.allow(ctx); err != nil {
		return nil, err
	}
	if s.side > 0 && shape[2] != s.side {
		return nil, status.Error(codes.Internal, "the graph failed on this shape")
	}
	if small && s.infer != nil {
		if err := s.infer(ctx, s.stop); err != nil {
			return nil, err
		}
	}
	n := int(shape[2] * shape[3])
	size := map[string]int{fp32: 4, fp16: 2, uint8s: 1}[s.kind()]
	if r.Inputs[0].Datatype != s.kind() || len(r.RawInputContents[0]) != 3*n*size || len(r.Outputs) != 1 {
		return nil, status.Error(codes.InvalidArgument, "the tensor does not fit")
	}
	raw := make([]byte, 0, 4*n)
	for i := range n {
		sum := s.at(r, i) + s.at(r, n+i) + s.at(r, 2*n+i)
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(sum/3))
	}
	answer := &oip.ModelInferResponse{
		Outputs:           []*oip.ModelInferResponse_InferOutputTensor{{Name: "y", Datatype: fp32, Shape: []int64{1, 1, shape[2], shape[3]}}},
		RawOutputContents: [][]byte{raw},
	}
	if small && s.change != nil {
		s.change(answer)
	}
	return answer, nil
}

// at returns an input value; of float16 only those from 0.5 to below 1, which
// the tests use, and 0.
func (s *testServer) at(r *oip.ModelInferRequest, i int) float32 {
	raw := r.RawInputContents[0]
	if s.kind() == uint8s { // its graph divides by 255
		return float32(raw[i]) / 255
	}
	if s.kind() == fp32 {
		return math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	bits := binary.LittleEndian.Uint16(raw[2*i:])
	if bits == 0 {
		return 0
	}
	return 0.5 + float32(bits&0x3ff)/2048
}
