package contract

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract/proto"
)

// The host gets a backend's error: its code always, its message only if that is
// meant for visitors, its cause for the log.
func TestErrorsTravel(t *testing.T) {
	tests := map[string]struct {
		sent    error
		code    cutout.Code
		visible string // to a visitor
		logged  string
		missing bool
	}{
		"invalid":      {cutout.Errorf(cutout.Invalid, "no such size"), cutout.Invalid, "no such size", "", false},
		"not loaded":   {NotLoaded("isnet"), cutout.Invalid, `no model "isnet" is loaded`, "", true},
		"missing file": {cutout.Wrap(cutout.Invalid, fs.ErrNotExist, "a file is missing"), cutout.Invalid, "a file is missing", "", true},
		"unavailable": {cutout.Wrap(cutout.BackendUnavailable, errors.New("/secret/path"), "the device is lost"),
			cutout.BackendUnavailable, "The backend is not available.", "the device is lost: /secret/path", false},
		"busy":     {cutout.Errorf(cutout.Busy, "three wait"), cutout.Busy, "The backend is busy.", "three wait", false},
		"internal": {cutout.Wrap(cutout.Internal, errors.New("node 7"), "it broke"), cutout.Internal, "The backend failed.", "it broke: node 7", false},
		"foreign":  {errors.New("open /secret/path"), cutout.Internal, "The backend failed.", "open /secret/path", false},
		"timeout":  {fmt.Errorf("run: %w", context.DeadlineExceeded), cutout.Timeout, "This took too long and was stopped.", "", false},
		// For a call that was not cancelled, it means that the connection is gone.
		"canceled": {context.Canceled, cutout.BackendUnavailable, "The backend is not available.", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := fromStatus(context.Background(), toStatus(test.sent))
			if cutout.CodeOf(got) != test.code || cutout.MessageOf(got) != test.visible {
				t.Errorf("got %v; want %s, showing %q", got, test.code, test.visible)
			}
			if !strings.Contains(got.Error(), test.logged) || errors.Is(got, ErrNotFound) != test.missing {
				t.Errorf("got %v; want it to log %q; not found: %v", got, test.logged, test.missing)
			}
			if test.code != cutout.Invalid && strings.Contains(cutout.MessageOf(got), "secret") {
				t.Errorf("a visitor would see %q", cutout.MessageOf(got))
			}
		})
	}
}

// The end of the caller's own context counts, whatever came back.
func TestOwnContextWins(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, code := range []codes.Code{codes.Canceled, codes.Unavailable, codes.Internal, codes.Unknown} {
		if got := fromStatus(ctx, status.Error(code, "x")); cutout.CodeOf(got) != cutout.Canceled || !errors.Is(got, context.Canceled) {
			t.Errorf("%s became %v", code, got)
		}
	}
}

func TestEveryStatusHasACode(t *testing.T) {
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		got := fromStatus(context.Background(), status.Error(code, "x"))
		if e := (*cutout.Error)(nil); !errors.As(got, &e) || e.Message == "" {
			t.Errorf("%s became %v", code, got)
		}
	}
	if fromStatus(context.Background(), nil) != nil {
		t.Error("no error became one")
	}
}

func drawModel(t *rapid.T) cutout.Model {
	number := rapid.Float32Range(0.01, 300)
	m := cutout.Model{
		Name: rapid.StringMatching(`[a-z]{1,9}`).Draw(t, "name"), Input: rapid.String().Draw(t, "input"), Output: "y",
		Scale: number.Draw(t, "scale"), Post: rapid.SampledFrom(posts).Draw(t, "post"),
	}
	for c := range 3 {
		m.Mean[c], m.Std[c] = number.Draw(t, "mean"), number.Draw(t, "std")
	}
	for range rapid.IntRange(1, 4).Draw(t, "variants") {
		m.Variants = append(m.Variants, cutout.Variant{Size: rapid.IntRange(1, MaxSize).Draw(t, "size"), File: "/m.onnx", SHA256: "ab", Precision: "int8"})
	}
	return m
}

func TestModelsTravel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		got, err := fromProto(toProto(m))
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("%+v became %+v, %v", m, got, err)
		}
	})
}

// An invalid message from a host is refused before a backend sees it.
func TestServerChecks(t *testing.T) {
	s := &server{} // without a backend: it must not get that far
	for name, m := range map[string]*proto.Model{
		"none":       nil,
		"two means":  {Name: "m", Mean: []float32{1, 2}, Std: []float32{1, 1, 1}, Scale: 1, Post: "none", Variants: []*proto.Variant{{Size: 8}}},
		"no files":   {Name: "m", Mean: []float32{0, 0, 0}, Std: []float32{1, 1, 1}, Scale: 1, Post: "none"},
		"std 0":      {Name: "m", Mean: []float32{0, 0, 0}, Std: []float32{1, 0, 1}, Scale: 1, Post: "none", Variants: []*proto.Variant{{Size: 8}}},
		"scale -1":   {Name: "m", Mean: []float32{0, 0, 0}, Std: []float32{1, 1, 1}, Scale: -1, Post: "none", Variants: []*proto.Variant{{Size: 8}}},
		"other post": {Name: "m", Mean: []float32{0, 0, 0}, Std: []float32{1, 1, 1}, Scale: 1, Post: "softmax", Variants: []*proto.Variant{{Size: 8}}},
		"huge":       {Name: "m", Mean: []float32{0, 0, 0}, Std: []float32{1, 1, 1}, Scale: 1, Post: "none", Variants: []*proto.Variant{{Size: 1 << 31}}},
	} {
		if _, err := s.Load(t.Context(), &proto.LoadRequest{Model: m}); status.Code(err) != codes.InvalidArgument {
			t.Errorf("Load, %s: %v", name, err)
		}
	}
	for name, r := range map[string]*proto.SegmentRequest{
		"nothing":      {},
		"too few":      {Width: 2, Height: 2, Rgb: make([]byte, 11)},
		"too many":     {Width: 2, Height: 2, Rgb: make([]byte, 13)},
		"too large":    {Width: MaxSize + 1, Height: 1, Rgb: make([]byte, 3*(MaxSize+1))},
		"overflow":     {Width: 1 << 31, Height: 1 << 31},
		"no height":    {Width: 4},
		"wraps to one": {Width: 1<<32 - 1, Height: 1<<32 - 1, Rgb: make([]byte, 3)},
	} {
		if _, err := s.Segment(t.Context(), r); status.Code(err) != codes.InvalidArgument {
			t.Errorf("Segment, %s: %v", name, err)
		}
	}
}
