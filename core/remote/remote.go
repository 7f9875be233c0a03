// Package remote sends photos to a BGRemover server.
package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // sizes of results
	_ "image/png"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	_ "golang.org/x/image/webp"

	"bgremover.pro/core/cutout"
)

// Bounds of an answer.
const (
	maxResult  = 1 << 30
	maxProblem = 64 << 10
	// slowest is how long a server may take for a photo once it has it.
	slowest = 15 * time.Minute
)

// Client sends photos to one server. It is safe for concurrent use.
type Client struct {
	// Patience is how long a photo may wait in all for a server that is busy or
	// whose limit is reached.
	Patience time.Duration
	// Waiting, if set, is called before each such wait.
	Waiting func(time.Duration, error)

	address string
	key     string
	http    *http.Client
	pause   pause
}

// New returns a client for the server at an address such as https://example.org; a
// key may be empty. Close must follow. Code: Invalid.
func New(address, key string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, cutout.Errorf(cutout.Invalid, "the server's address must look like https://example.org")
	}
	if strings.ContainsAny(key, "\r\n") {
		return nil, cutout.Errorf(cutout.Invalid, "the server's key has more than one line")
	}
	return &Client{
		address: u.JoinPath("api/v1/cutouts").String(),
		key:     key,
		http: &http.Client{
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
				TLSHandshakeTimeout: 30 * time.Second, ExpectContinueTimeout: 5 * time.Second,
				ResponseHeaderTimeout: slowest, MaxIdleConnsPerHost: 64, ForceAttemptHTTP2: true,
			},
			// A key must not reach another server than the one that was named.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Photo is a photo and what to do with it.
type Photo struct {
	File []byte
	// Options are the API's, by name.
	Options map[string]string
	// Files are the pictures that go with it, by the API's name; nil for none.
	Files map[string][]byte
}

// Remove has the server cut out one photo. A server that is busy or whose limit is reached
// is tried again when it says so, as long as Patience allows. Codes: those of the server;
// BackendUnavailable for a server that does not answer.
func (c *Client) Remove(ctx context.Context, p Photo) (*cutout.Result, error) {
	left := patience{left: c.Patience}
	for {
		err := c.pause.wait(ctx, &left, c.Waiting)
		if err != nil {
			return nil, err
		}
		result, err := c.send(ctx, p)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil || !c.pause.after(err, &left) {
			return result, err
		}
	}
}

// send makes one attempt.
func (c *Client) send(ctx context.Context, p Photo) (*cutout.Result, error) {
	request, err := c.request(ctx, p)
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(request)
	if err != nil {
		var about *url.Error
		if errors.As(err, &about) {
			err = about.Err
		}
		return nil, &cutout.Error{Code: cutout.BackendUnavailable, Err: err,
			Message: fmt.Sprintf("The server cannot be reached (%v).", err)}
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, problemOf(answer)
	}
	return resultOf(answer)
}

func (c *Client) request(ctx context.Context, p Photo) (*http.Request, error) {
	body, kind := p.File, "application/octet-stream"
	if len(p.Files) > 0 {
		var err error
		if body, kind, err = form(p); err != nil {
			return nil, err
		}
	}
	query := url.Values{}
	for name, value := range p.Options {
		query.Set(name, value)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Accept", "image/*, application/problem+json")
	request.Header.Set("User-Agent", "bgremover")
	// A refusal comes before the photo is sent, not after it.
	request.Header.Set("Expect", "100-continue")
	if c.key != "" {
		request.Header.Set("X-Api-Key", c.key)
	}
	return request, nil
}

func form(p Photo) (body []byte, kind string, err error) {
	var buffer bytes.Buffer
	w := multipart.NewWriter(&buffer)
	add := func(name string, file []byte) error {
		part, err := w.CreateFormFile(name, name)
		if err == nil {
			_, err = part.Write(file)
		}
		return err
	}
	if err := add("image", p.File); err != nil {
		return nil, "", err
	}
	for name, file := range p.Files {
		if err := add(name, file); err != nil {
			return nil, "", err
		}
	}
	return buffer.Bytes(), w.FormDataContentType(), w.Close()
}

// resultOf reads a picture. Its headers say how it was made.
func resultOf(answer *http.Response) (*cutout.Result, error) {
	kind := answer.Header.Get("Content-Type")
	if !strings.HasPrefix(kind, "image/") {
		return nil, cutout.Errorf(cutout.BackendUnavailable, "The address answers, but not like a BGRemover server: its answer contains no picture.")
	}
	file, err := io.ReadAll(io.LimitReader(answer.Body, maxResult+1))
	if err != nil {
		return nil, &cutout.Error{Code: cutout.BackendUnavailable, Err: err, Message: "The server's answer was cut off."}
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil || len(file) > maxResult {
		return nil, &cutout.Error{Code: cutout.BackendUnavailable, Err: err, Message: "The server's answer is not a picture of a known format."}
	}
	mode, _, _ := strings.Cut(answer.Header.Get("X-Mode"), ";")
	r := &cutout.Result{
		File: file, MediaType: kind, Width: size.Width, Height: size.Height, Subject: cutout.SubjectFound,
		Run: cutout.Run{Backend: answer.Header.Get("X-Backend"), Model: answer.Header.Get("X-Model"), Mode: cutout.Mode(mode)},
	}
	if s := cutout.Subject(answer.Header.Get("X-Subject")); s == cutout.SubjectUnsure || s == cutout.SubjectNone {
		r.Subject = s
	}
	return r, nil
}
