// Package purge purges the caches in front of a server after a release or a visible
// change of settings. If a cache can, it keeps the old pages as stale copies in case
// the server is down.
package purge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Caches are those to purge; empty fields are not used.
type Caches struct {
	// Varnish and Nginx are the addresses, scheme://host[:port], of those that
	// run the configurations in ops/. They accept purges from the machines named there.
	Varnish, Nginx []string
	Cloudflare     Account // a zone; its token may purge
	Fastly         Account // a service; its token may purge by key

	// Tag is on every response to purge. Paths are their paths, for nginx, which
	// has no tags.
	Tag   string
	Paths []string
}

// Account is an account with a service: what to purge, and the token for it.
type Account struct {
	ID, Token string
	// Base replaces the address of the service's API, without a trailing slash.
	Base string
}

// Outcome is the result of purging one cache.
type Outcome struct {
	Cache string // such as "Varnish http://127.0.0.1"
	Err   error
}

// timeout bounds one request; caches answer at once or not at all.
const timeout = 10 * time.Second

// Purge purges all caches, one after the other, and continues after one that fails.
// Without caches there are no outcomes.
func (c Caches) Purge(ctx context.Context) []Outcome {
	// No redirects are followed: they would carry tokens elsewhere.
	client := &http.Client{Timeout: timeout, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	var all []Outcome
	for _, base := range c.Varnish {
		all = append(all, Outcome{"Varnish " + base, varnish(ctx, client, base, c.Tag)})
	}
	for _, base := range c.Nginx {
		all = append(all, Outcome{"nginx " + base, nginx(ctx, client, base, c.Paths)})
	}
	if c.Cloudflare.ID != "" {
		all = append(all, Outcome{"Cloudflare", cloudflare(ctx, client, c.Cloudflare, c.Tag)})
	}
	if c.Fastly.ID != "" {
		all = append(all, Outcome{"Fastly", fastly(ctx, client, c.Fastly, c.Tag)})
	}
	return all
}

// reply is a response, of which at most 64 KiB are read.
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
