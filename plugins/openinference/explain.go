package main

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

// failure is the error of one server.
type failure struct {
	server string
	err    error
}

// explain sums up the errors of all servers. They serve the same models, so one that
// does not know the model speaks for those that are down. Codes: Internal if one
// accepted the call and failed; else Invalid if one does not know the model; else
// BackendUnavailable.
func explain(failures []failure) error {
	var reasons []string
	var failed, unknown bool
	for _, f := range failures {
		s := status.Convert(f.err)
		reason := s.Message()
		switch s.Code() {
		case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Canceled, codes.Unimplemented:
		case codes.Unauthenticated, codes.PermissionDenied:
			reason = "it does not accept the token: " + reason
		case codes.NotFound:
			unknown = true
		default:
			failed = true
		}
		reasons = append(reasons, fmt.Sprintf("%s: %s (%s)", f.server, reason, s.Code()))
	}
	message := "every server failed: " + strings.Join(reasons, "; ")
	switch {
	case failed:
		return cutout.Wrap(cutout.Internal, errors.New(message), "The servers failed on this picture.")
	case unknown:
		return &cutout.Error{Code: cutout.Invalid, Message: "the servers do not have this model", Err: contract.ErrNotFound}
	}
	return cutout.Errorf(cutout.BackendUnavailable, "%s", message)
}
