package purge

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// varnish marks pages with the tag as stale (xkey.softpurge in our VCL).
func varnish(ctx context.Context, client *http.Client, base, tag string) error {
	request, err := http.NewRequestWithContext(ctx, "PURGE", base+"/", http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Xkey-Purge", tag)
	answer, err := call(client, request)
	switch {
	case err != nil:
		return err
	case answer.code == http.StatusForbidden:
		return fmt.Errorf("refuses: add this machine to acl purgers in its configuration")
	case answer.code != http.StatusOK || !strings.HasPrefix(answer.status, "200 Purged"):
		return fmt.Errorf("answers %s, which is not what ops/varnish/bgremover.vcl answers to a purge", answer.status)
	}
	return nil
}

// encodings are the content codings; nginx keeps one copy of each.
var encodings = []string{"br", "zstd", "gzip", "identity"}

// nginx makes nginx fetch every page again, in each encoding. If it cannot fetch a page, it
// keeps its old copy.
func nginx(ctx context.Context, client *http.Client, base string, paths []string) error {
	for _, path := range paths {
		for _, encoding := range encodings {
			if err := refresh(ctx, client, base+path, encoding); err != nil {
				return fmt.Errorf("%s (%s): %w", path, encoding, err)
			}
		}
	}
	return nil
}

func refresh(ctx context.Context, client *http.Client, url, encoding string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Accept-Encoding", encoding)
	request.Header.Set("X-Refresh", "yes")
	answer, err := call(client, request)
	switch {
	case err != nil:
		return err
	case answer.code == http.StatusNotFound: // a page that the settings disable
		return nil
	case answer.code != http.StatusOK:
		return fmt.Errorf("answers %s", answer.status)
	case answer.header.Get("X-Cache") != "BYPASS":
		return fmt.Errorf("serves its copy: add this machine to geo $bgremover_purger in its configuration")
	}
	return nil
}
