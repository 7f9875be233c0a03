package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"bgremover.pro/core/config"
)

// operator is a client of the operator's listener of the server that runs on this
// machine with these settings.
type operator struct {
	client *http.Client
	base   string
	token  string
	// unreadable is why the token file could not be read.
	unreadable error
}

// callOperator makes one call to the server that findOperator finds.
func callOperator(ctx context.Context, method, path string, form url.Values, answer any) error {
	server, err := findOperator()
	if err != nil {
		return err
	}
	return server.call(ctx, method, path, form, answer)
}

// findOperator returns a client for the listener named in the settings.
func findOperator() (*operator, error) {
	settings, err := config.Load(config.Sources{Environ: os.Environ()})
	if err != nil {
		return nil, err
	}
	o := settings.Operator
	if path := o.Socket(); path != "" {
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
		return &operator{client: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}, base: "http://localhost"}, nil
	}
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("this command cannot connect to the operator's listener at %q", o.Listen)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	found := &operator{client: &http.Client{}, base: "http://" + net.JoinHostPort(host, port), token: o.Token}
	if file := settings.MadeToken(); file != "" {
		found.token, found.unreadable = config.ReadSecretFile(file)
	}
	if o.TLSCert != "" {
		found.base = "https://" + net.JoinHostPort(host, port)
		secure, err := trusting(o.TLSCert)
		if err != nil {
			return nil, err
		}
		if o.ClientCA != "" {
			cert, key := cmp.Or(o.ClientCert, o.TLSCert), cmp.Or(o.ClientKey, o.TLSKey)
			pair, err := tls.LoadX509KeyPair(cert, key)
			if err != nil {
				return nil, fmt.Errorf("the client certificate: %w", err)
			}
			secure.Certificates = []tls.Certificate{pair}
		}
		found.client.Transport = &http.Transport{TLSClientConfig: secure}
	}
	return found, nil
}

// trusting accepts exactly the certificate that the server is configured with,
// whatever its issuer and names.
func trusting(file string) (*tls.Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s contains no certificate", file)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // replaced by the stricter check below
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !s.PeerCertificates[0].Equal(cert) {
				return errors.New("the server's certificate is not the configured one")
			}
			return nil
		},
	}, nil
}

// errNoServer: nothing answers at the operator's address.
var errNoServer = errors.New("cannot connect to the server")

// call sends a form, or nothing, and decodes the answer into result unless that is
// nil. An error from the server is returned as its message.
func (o *operator) call(ctx context.Context, method, path string, form url.Values, result any) error {
	request, err := http.NewRequestWithContext(ctx, method, o.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if o.token != "" {
		request.Header.Set("Authorization", "Bearer "+o.token)
	}
	answer, err := o.client.Do(request)
	if err != nil {
		return fmt.Errorf("%w at %s: %w", errNoServer, o.base, errors.Unwrap(err))
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 8<<20))
	switch {
	case err != nil:
		return err
	case answer.StatusCode == http.StatusUnauthorized && o.unreadable != nil:
		return fmt.Errorf("the server requires its token, which this command cannot read: %w; run it as the server's user, with the server's BGREMOVER_DATA_DIR", o.unreadable)
	case answer.StatusCode >= http.StatusBadRequest:
		var problem struct{ Detail string }
		if json.Unmarshal(body, &problem) == nil && problem.Detail != "" {
			return errors.New(problem.Detail)
		}
		return fmt.Errorf("the server answered %s", answer.Status)
	case result == nil:
		return nil
	}
	return json.Unmarshal(body, result)
}
