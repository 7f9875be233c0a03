package purge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// cloudflare purges by tag, which every plan allows:
// https://developers.cloudflare.com/api/resources/cache/methods/purge/
func cloudflare(ctx context.Context, client *http.Client, zone Account, tag string) error {
	if zone.Base == "" {
		zone.Base = "https://api.cloudflare.com/client/v4"
	}
	body, err := json.Marshal(map[string][]string{"tags": {tag}})
	if err != nil {
		return err
	}
	address := zone.Base + "/zones/" + url.PathEscape(zone.ID) + "/purge_cache"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+zone.Token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := call(client, request)
	if err != nil {
		return err
	}
	var said struct {
		Success bool
		Errors  []struct{ Message string }
	}
	if json.Unmarshal(answer.body, &said) == nil && said.Success && answer.code == http.StatusOK {
		return nil
	}
	err = fmt.Errorf("answers %s", answer.status)
	for _, e := range said.Errors {
		err = errors.Join(err, errors.New(e.Message))
	}
	return err
}

// fastly marks pages with the key as stale:
// https://www.fastly.com/documentation/reference/api/purging/
func fastly(ctx context.Context, client *http.Client, service Account, key string) error {
	if service.Base == "" {
		service.Base = "https://api.fastly.com"
	}
	address := service.Base + "/service/" + url.PathEscape(service.ID) + "/purge/" + url.PathEscape(key)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Fastly-Key", service.Token)
	request.Header.Set("Fastly-Soft-Purge", "1")
	request.Header.Set("Accept", "application/json")
	answer, err := call(client, request)
	if err != nil {
		return err
	}
	var said struct{ Status, Msg string }
	if json.Unmarshal(answer.body, &said) == nil && said.Status == "ok" && answer.code == http.StatusOK {
		return nil
	}
	if said.Msg != "" {
		return fmt.Errorf("answers %s: %s", answer.status, said.Msg)
	}
	return fmt.Errorf("answers %s", answer.status)
}
