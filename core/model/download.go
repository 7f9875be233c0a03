package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"bgremover.pro/core/cutout"
)

// Doer does an HTTP request, as *http.Client does.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// partial is the suffix of an unfinished download; the .json file next to it says which
// version of which URL it is a part of.
const partial = ".part"

// version identifies what a partial download is a part of, so that only the rest of
// the same file is appended to it.
type version struct {
	URL       string `json:"url"`
	Validator string `json:"validator"` // a strong ETag or a Last-Modified date
}

const (
	attempts = 5 // in a row without any progress
	stalled  = time.Minute
)

// download fetches a URL, resuming where an earlier run or attempt stopped.
func (s *Store) download(ctx context.Context, url, archive string, tell func(done, total int64)) error {
	client := s.Client
	if client == nil {
		client = defaultClient()
	}
	part := archive + partial
	for failures := 0; ; {
		before := sizeOf(part)
		err := resume(ctx, client, url, part, tell)
		if err == nil {
			_ = os.Remove(part + ".json")
			return os.Rename(part, archive)
		}
		var final *cutout.Error
		if ctx.Err() != nil || errors.As(err, &final) || unwritable(err) {
			return err
		}
		failures++
		if sizeOf(part) > before {
			failures = 0
		}
		if failures == attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.pause << failures):
		}
	}
}

func defaultClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = 30 * time.Second
	return &http.Client{Transport: transport, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if req.URL.Scheme != "https" || len(via) > 10 {
			return fmt.Errorf("refusing redirect to %s", req.URL.Host)
		}
		return nil
	}}
}

// resume fetches the missing rest of a partial download and appends it. A
// cutout.Error is final; after any other error another attempt may help.
func resume(ctx context.Context, client Doer, url, part string, tell func(done, total int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	have, known := sizeOf(part), readVersion(part)
	if known.URL != url || known.Validator == "" {
		have = 0
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		req.Header.Set("If-Range", known.Validator)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	total := resp.ContentLength
	switch resp.StatusCode {
	case http.StatusOK:
		have = 0
	case http.StatusPartialContent:
		var start int64
		if start, total = contentRange(resp); start != have {
			return startOver(part)
		}
	case http.StatusRequestedRangeNotSatisfiable:
		if _, total = contentRange(resp); total == have {
			return nil // the download was already complete
		}
		return startOver(part)
	default:
		if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
			return fmt.Errorf("%s answers %s", resp.Request.URL.Host, resp.Status)
		}
		return cutout.Errorf(cutout.Internal, "%s cannot be fetched: %s answers %s.", path.Base(url), resp.Request.URL.Host, resp.Status)
	}
	if err := writeVersion(part, version{url, validator(resp)}); err != nil {
		return err
	}
	return appendBody(part, have, total, resp.Body, cancel, tell)
}

// startOver drops a partial download that is not the beginning of the current file.
func startOver(part string) error {
	if err := os.Remove(part); err != nil {
		return err
	}
	return fmt.Errorf("%s has changed since its download began; starting over", path.Base(part))
}

// appendBody writes a response's body after the first bytes of a partial download.
// It gives up on a body that stalls.
func appendBody(part string, have, total int64, body io.Reader, cancel context.CancelCauseFunc, tell func(done, total int64)) error {
	file, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Truncate(have); err != nil {
		return err
	}
	if _, err := file.Seek(have, io.SeekStart); err != nil {
		return err
	}
	watchdog := time.AfterFunc(stalled, func() { cancel(errors.New("the download stalled")) })
	defer watchdog.Stop()
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			watchdog.Reset(stalled)
			if _, err := file.Write(buffer[:n]); err != nil {
				return err
			}
			have += int64(n)
			if have > maxFile {
				return cutout.Errorf(cutout.Internal, "The download exceeds the size limit; it was stopped.")
			}
			tell(have, max(total, 0))
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if total >= 0 && have != total {
		return io.ErrUnexpectedEOF
	}
	return file.Sync()
}

// contentRange reads "bytes START-END/TOTAL" or "bytes */TOTAL"; what is
// unknown is -1.
func contentRange(resp *http.Response) (start, total int64) {
	span, whole, _ := strings.Cut(strings.TrimPrefix(resp.Header.Get("Content-Range"), "bytes "), "/")
	first, _, _ := strings.Cut(span, "-")
	start, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		start = -1
	}
	if total, err = strconv.ParseInt(whole, 10, 64); err != nil {
		total = -1
	}
	return start, total
}

func validator(resp *http.Response) string {
	if tag := resp.Header.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return resp.Header.Get("Last-Modified")
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func readVersion(part string) (v version) {
	text, err := os.ReadFile(part + ".json")
	if err != nil || json.Unmarshal(text, &v) != nil {
		return version{}
	}
	return v
}

func writeVersion(part string, v version) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFile(part+".json", text)
}
