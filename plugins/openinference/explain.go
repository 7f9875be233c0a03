package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
)

// failure is the error of one server.
type failure struct {
	server, reason string
	code           codes.Code
}

// explain sums up the errors of all servers. They serve the same models, so one that does
// not know the model stands for those that are down. Codes: Internal if one accepted the
// call and failed; else Invalid if one does not know the model; else BackendUnavailable.
func explain(failures []failure) error {
	var reasons []string
	var failed, unknown bool
	for _, f := range failures {
		switch f.code {
		case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Canceled, codes.Unimplemented,
			codes.Unauthenticated, codes.PermissionDenied:
		case codes.NotFound:
			unknown = true
		default:
			failed = true
		}
		reasons = append(reasons, fmt.Sprintf("%s: %s (%s)", f.server, f.reason, f.code))
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

// advice is what to do about errors that a setting cures.
var advice = []struct{ text, advice string }{
	{"x509: certificate signed by unknown authority", "its certificate is not trusted; give the PEM file of its authority with -ca"},
	{"x509: certificate has expired", "its certificate is out of date"},
	{"x509: certificate is", "its certificate is for another name than that of -endpoint"},
	{"x509: cannot validate certificate", "its certificate is for another name than that of -endpoint"},
	{"tls: bad certificate", "it does not accept the certificate of -cert"},
	{"tls: unknown certificate authority", "it does not accept the certificate of -cert"},
	{"first record does not look like a TLS handshake", "it does not use TLS; write grpc:// instead of grpcs://"},
	{"error reading server preface", "it may require TLS; if so, write grpcs:// instead of grpc://"},
	{"message larger than max", "it limits the size of messages; raise its limit to 16 MiB or more"},
}

// reason is an error of this server with what to do about it. One that asked for a
// certificate in vain may have ended the connection without saying why.
func (e *server) reason(err error) string {
	if e.asked.Load() {
		return "it asks for a certificate; give one with -cert and -key: " + plain(status.Convert(err).Message())
	}
	return reason(err)
}

// reason is an error of any server with what to do about it.
func reason(err error) string {
	s := status.Convert(err)
	if s.Code() == codes.Unauthenticated || s.Code() == codes.PermissionDenied {
		return "it does not accept the token: " + s.Message()
	}
	message := plain(s.Message())
	for _, a := range advice {
		if strings.Contains(message, a.text) {
			return a.advice + ": " + message
		}
	}
	return message
}

// plain is why a connection failed, without the layers of gRPC that report it.
func plain(message string) string {
	_, why, ok := strings.Cut(message, "connection error: desc = ")
	if !ok {
		return message
	}
	if text, err := strconv.Unquote(why); err == nil {
		why = text
	}
	return strings.TrimPrefix(why, "transport: ")
}
