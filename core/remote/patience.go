package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"bgremover.pro/core/cutout"
)

const (
	// unreached is how often a server that does not answer is tried again.
	unreached = 3
	// usual is the wait where the server names none; it doubles with each.
	usual = time.Second
)

// pause is when the next attempt may be made, for all photos together.
type pause struct {
	mu    sync.Mutex
	until time.Time
	why   error
}

// patience is what is left of one photo's.
type patience struct {
	left  time.Duration
	tries int // to reach a server that does not answer
}

// wait returns when the next attempt may be made, or at once with the reason if that is too
// late.
func (p *pause) wait(ctx context.Context, left *patience, waiting func(time.Duration, error)) error {
	for {
		p.mu.Lock()
		wait, why := time.Until(p.until), p.why
		p.mu.Unlock()
		switch {
		case wait <= 0:
			return nil
		case wait > left.left:
			return why
		}
		left.left -= wait
		if waiting != nil {
			waiting(wait, why)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// after notes an error, and reports whether to try again after a pause.
func (p *pause) after(err error, left *patience) bool {
	var wait time.Duration
	e, _ := err.(*cutout.Error) //nolint:errorlint // made in this package
	if e == nil {
		return false
	}
	switch e.Code {
	case cutout.RateLimited, cutout.Busy:
		wait = max(e.RetryAfter, usual)
	case cutout.BackendUnavailable:
		if left.tries++; left.tries > unreached {
			return false
		}
		wait = max(e.RetryAfter, usual<<left.tries)
	default:
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(wait); until.After(p.until) {
		p.until, p.why = until, err
	}
	return true
}

// problemOf reads a refusal: problem+json or, from what stands before the server,
// only a status.
func problemOf(answer *http.Response) error {
	var body struct {
		Code   cutout.Code `json:"code"`
		Detail string      `json:"detail"`
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxProblem))
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "application/problem+json") {
		_ = json.Unmarshal(text, &body) // without it, the status decides
	}
	e := &cutout.Error{Code: body.Code, Message: body.Detail, RetryAfter: retryAfter(answer.Header.Get("Retry-After"))}
	switch status := answer.StatusCode; {
	case status == http.StatusTooManyRequests:
		e.Code = cutout.RateLimited
	case status == http.StatusServiceUnavailable && e.Code != cutout.BackendUnavailable:
		e.Code = cutout.Busy
	case e.Code != "":
	case status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		e.Code = cutout.BackendUnavailable
	case status >= 300 && status < 400:
		e.Code, e.Message = cutout.Invalid, "The server has moved to "+answer.Header.Get("Location")+": use that address."
	case status == http.StatusRequestEntityTooLarge:
		e.Code = cutout.TooLarge
	case status >= 400 && status < 500:
		e.Code = cutout.Invalid
	default:
		e.Code = cutout.Internal
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("The server answered %d %s.", answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	return e
}

// retryAfter reads seconds or a date; 0 for anything else.
func retryAfter(s string) time.Duration {
	if seconds, err := strconv.Atoi(s); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 1<<30)) * time.Second
	}
	if date, err := http.ParseTime(s); err == nil {
		return max(0, time.Until(date))
	}
	return 0
}
