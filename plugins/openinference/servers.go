package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"bgremover.pro/plugins/openinference/oip"
)

type options struct {
	endpoints            []string
	model                string
	ca, cert, key, token string // files
	timeout              time.Duration
}

// A server that failed is tried only after the others for a while, which doubles
// with each further failure in a row.
const (
	rest     = 10 * time.Second
	longRest = 2 * time.Minute
)

// maxMessage bounds a response: a 4096x4096 mask of float32.
const maxMessage = 80 << 20

// A name may stand for many servers, as that of a Kubernetes service does: each call goes
// to the next, and one that is down is not waited for.
const manyAddresses = `{
	"loadBalancingConfig": [{"round_robin": {}}],
	"methodConfig": [{"name": [{}], "retryPolicy": {
		"maxAttempts": 4, "initialBackoff": "0.01s", "maxBackoff": "0.1s", "backoffMultiplier": 2,
		"retryableStatusCodes": ["UNAVAILABLE"]}}]
}`

// servers are the endpoints, which all serve the same models.
type servers struct {
	list    []*server
	timeout time.Duration
	log     *slog.Logger
	turn    atomic.Uint32
}

// dial prepares connections; they are opened when first used, and again when they
// break.
func dial(o options, log *slog.Logger) (*servers, error) {
	if len(o.endpoints) == 0 {
		return nil, errors.New("no -endpoint is given")
	}
	s := &servers{timeout: o.timeout, log: log}
	for _, endpoint := range o.endpoints {
		at, err := url.Parse(endpoint)
		if err != nil || at.Host == "" || at.Port() == "" || at.Scheme != "grpc" && at.Scheme != "grpcs" {
			return nil, fmt.Errorf("an endpoint must be grpc://HOST:PORT or grpcs://HOST:PORT, not %q", endpoint)
		}
		e := &server{name: at.Host}
		security, err := e.secure(at.Scheme == "grpcs", o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", endpoint, err)
		}
		e.conn, err = grpc.NewClient(at.Host, append(security,
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage),
				grpc.MaxRetryRPCBufferSize(maxMessage)), // a larger call is not sent again
			grpc.WithDefaultServiceConfig(manyAddresses),
			// A server that disappeared silently is noticed, and one that came
			// back is soon tried again.
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 5 * time.Minute, Timeout: 10 * time.Second}),
			grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: 5 * time.Second,
				Backoff: backoff.Config{BaseDelay: time.Second, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second}}))...)
		if err != nil {
			return nil, err
		}
		e.client = oip.NewGRPCInferenceServiceClient(e.conn)
		s.list = append(s.list, e)
	}
	return s, nil
}

// close ends the connections.
func (s *servers) close() {
	for _, e := range s.list {
		_ = e.conn.Close()
	}
}

func (e *server) secure(encrypted bool, o options) ([]grpc.DialOption, error) {
	if !encrypted {
		if o.token != "" || o.cert != "" {
			return nil, errors.New("a token or certificate is sent only over TLS: use grpcs://")
		}
		return []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", o.ca)
		}
	}
	if (o.cert == "") != (o.key == "") {
		return nil, errors.New("-cert and -key belong together")
	}
	if o.cert != "" {
		if _, err := tls.LoadX509KeyPair(o.cert, o.key); err != nil {
			return nil, fmt.Errorf("-cert and -key: %w", err)
		}
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if o.cert == "" {
			e.asked.Store(true)
			return &tls.Certificate{}, nil // some servers only ask
		}
		pair, err := tls.LoadX509KeyPair(o.cert, o.key) // for each connection, since certificates are renewed
		return &pair, err
	}
	dial := []grpc.DialOption{grpc.WithTransportCredentials(credentials.NewTLS(config))}
	if o.token != "" {
		dial = append(dial, grpc.WithPerRPCCredentials(token(o.token)))
	}
	return dial, nil
}

// token names a file; it is read for each call, since tokens are renewed.
type token string

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (t token) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	secret, err := os.ReadFile(string(t))
	if err != nil {
		return nil, fmt.Errorf("the token cannot be read: %w", err)
	}
	return map[string]string{"authorization": "Bearer " + strings.TrimSpace(string(secret))}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (token) RequireTransportSecurity() bool { return true }

// order lists the servers in the order to try them: in turn, and those that failed
// recently last.
func (s *servers) order() []*server {
	turn := int(s.turn.Add(1)) % len(s.list)
	list := slices.Concat(s.list[turn:], s.list[:turn])
	var first, last []*server
	for _, e := range list {
		if e.last() {
			last = append(last, e)
		} else {
			first = append(first, e)
		}
	}
	return append(first, last...)
}

// check asks every server whether it is ready, and returns for each why it is not.
func (s *servers) check(ctx context.Context) []string {
	states := make([]string, len(s.list)) // empty: ready
	var group sync.WaitGroup
	for i, e := range s.list {
		group.Go(func() {
			answer, err := e.client.ServerReady(ctx, &oip.ServerReadyRequest{})
			why := ""
			switch {
			case err != nil:
				why = e.reason(err)
			case !answer.Ready:
				why = "it is not ready"
			default:
				e.asked.Store(false)
			}
			if !errors.Is(ctx.Err(), context.Canceled) {
				e.noteReady(s.log, why)
			}
			if why != "" {
				states[i] = e.name + ": " + why
			}
		})
	}
	group.Wait()
	return states
}

// ask calls one server after the other until one answers: a run has no side
// effects, so it may be retried on another server.
func ask[T any](ctx context.Context, s *servers, call func(context.Context, oip.GRPCInferenceServiceClient) (T, error)) (T, error) {
	var failures []failure
	var none T
	for _, e := range s.order() {
		attempt, cancel := context.WithTimeout(ctx, s.timeout)
		answer, err := call(attempt, e.client)
		if err != nil && attempt.Err() != nil {
			// Whichever side notices first, gRPC words it differently.
			err = status.Errorf(codes.DeadlineExceeded, "no answer within %v: %s", s.timeout, status.Convert(err).Message())
		}
		cancel()
		if err != nil && ctx.Err() != nil {
			return none, ctx.Err()
		}
		e.note(s.log, err)
		if err == nil {
			return answer, nil
		}
		failures = append(failures, failure{e.name, e.reason(err), status.Code(err)})
	}
	return none, explain(failures)
}
