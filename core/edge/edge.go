// Package edge has the caches in front of a server forget the pages that they
// hold, after a release or a change of settings that shows. Where an edge can,
// the old pages stay for the case that the server is down.
package edge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Edges are the caches to purge; what is empty is not there.
type Edges struct {
	// Varnish and Nginx are the addresses, scheme://host[:port], of those that
	// run the configurations in ops/. They heed the machines named there.
	Varnish, Nginx []string
	Cloudflare     Account // a zone; its token may purge
	Fastly         Account // a service; its token may purge by key

	// Tag is on every answer that is to go. Paths are their addresses, for nginx,
	// which knows no tags.
	Tag   string
	Paths []string
}

// Account is a service's account: what is purged, and the token that may.
type Account struct {
	ID, Token string
	// Base replaces the address of the service's API, without a trailing slash.
	Base string
}

// Outcome is what became of one edge.
type Outcome struct {
	Edge string // such as "Varnish http://127.0.0.1"
	Err  error
}

// timeout bounds one request; edges answer at once or are not there.
const timeout = 10 * time.Second

// Purge purges all edges, one after the other, and goes on past those that
// fail. No edges, no outcomes.
func (e Edges) Purge(ctx context.Context) []Outcome {
	// No redirects are followed: they would carry tokens elsewhere.
	client := &http.Client{Timeout: timeout, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	var all []Outcome
	for _, base := range e.Varnish {
		all = append(all, Outcome{"Varnish " + base, varnish(ctx, client, base, e.Tag)})
	}
	for _, base := range e.Nginx {
		all = append(all, Outcome{"nginx " + base, nginx(ctx, client, base, e.Paths)})
	}
	if e.Cloudflare.ID != "" {
		all = append(all, Outcome{"Cloudflare", cloudflare(ctx, client, e.Cloudflare, e.Tag)})
	}
	if e.Fastly.ID != "" {
		all = append(all, Outcome{"Fastly", fastly(ctx, client, e.Fastly, e.Tag)})
	}
	return all
}

// reply is an answer, of which 64 KiB are read at most.
type reply struct {
	code   int
	status string // such as "200 OK"
	header http.Header
	body   []byte
}

func call(client *http.Client, request *http.Request) (*reply, error) {
	answer, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("does not answer: %w", errors.Unwrap(err)) // without the address
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	return &reply{answer.StatusCode, answer.Status, answer.Header, body}, err
}
