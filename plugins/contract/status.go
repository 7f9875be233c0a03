package contract

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bgremover.pro/core/cutout"
)

// ErrNotFound is the cause of an Invalid error if no such model is loaded (Segment)
// or a file of it is missing (Load).
var ErrNotFound = errors.New("not found")

// NotLoaded is Segment's error for a model that is not loaded.
func NotLoaded(model string) error {
	return &cutout.Error{Code: cutout.Invalid, Message: fmt.Sprintf("no model %q is loaded", model), Err: ErrNotFound}
}

// SizeUnknown is Segment's error for an input that fits no variant.
func SizeUnknown(model string, input *cutout.Input, sizes []int) error {
	return cutout.Errorf(cutout.Invalid, "model %s takes inputs of %v pixels a side, not %dx%d", model, sizes, input.Width, input.Height)
}

// toStatus turns a backend's error into a gRPC status. The text is the whole chain,
// for the host's log; only that of Invalid is shown to visitors.
func toStatus(err error) error {
	code, text := codes.Internal, err.Error()
	if e := (*cutout.Error)(nil); errors.As(err, &e) {
		text = e.Message
		if e.Err != nil && e.Code != cutout.Invalid {
			text += ": " + e.Err.Error()
		}
	}
	switch cutout.CodeOf(err) {
	case cutout.Invalid:
		code = codes.InvalidArgument
		if errors.Is(err, ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			code = codes.NotFound
		}
	case cutout.Busy:
		code = codes.ResourceExhausted
	case cutout.BackendUnavailable:
		code = codes.Unavailable
	case cutout.Timeout:
		code = codes.DeadlineExceeded
	case cutout.Canceled:
		code = codes.Canceled
	}
	return status.Error(code, text)
}

// fromStatus turns a gRPC status into a cutout.Error. Its sentence is the backend's
// own only for Invalid: other texts come from libraries, or from a program that we
// do not know.
func fromStatus(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		code := cutout.CodeOf(ended)
		return cutout.Wrap(code, ended, cutout.MessageOf(ended))
	}
	s := status.Convert(err)
	cause := errors.New(s.Message())
	switch s.Code() {
	case codes.InvalidArgument:
		return cutout.Wrap(cutout.Invalid, cause, s.Message())
	case codes.NotFound:
		return cutout.Wrap(cutout.Invalid, ErrNotFound, s.Message())
	case codes.ResourceExhausted:
		return cutout.Wrap(cutout.Busy, cause, "The backend is busy.")
	case codes.DeadlineExceeded:
		return cutout.Wrap(cutout.Timeout, cause, "This took too long and was stopped.")
	case codes.Unavailable, codes.Canceled:
		// We did not cancel (ctx is alive), so the other side closed the connection.
		return cutout.Wrap(cutout.BackendUnavailable, cause, "The backend is not available.")
	case codes.Unimplemented:
		return cutout.Wrap(cutout.Internal, cause, "The backend does not implement all of the contract.")
	}
	return cutout.Wrap(cutout.Internal, cause, "The backend failed.")
}
