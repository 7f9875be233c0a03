package config

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bgremover.pro/core/ratelimit"
)

var routeRate = kind[ratelimit.RouteRate]{"ROUTE=RATE, such as /api/v1/cutouts=120/1h", func(s string) (ratelimit.RouteRate, error) {
	route, text, found := strings.Cut(s, "=")
	if !found || !strings.HasPrefix(route, "/") {
		return ratelimit.RouteRate{}, errForm
	}
	r, err := parseRate(text)
	return ratelimit.RouteRate{Route: route, Rate: r}, err
}, func(r ratelimit.RouteRate) string { return r.Route + "=" + formatRate(r.Rate) }}

var override = kind[ratelimit.Override]{"WHO=RATE, where WHO is an address, a prefix or device:ID and RATE may be off or block",
	parseOverride, func(o ratelimit.Override) string {
		who, what := "device:"+o.Device, formatRate(o.Rate)
		if o.Device == "" {
			who = o.Prefix.String()
		}
		if o.Block {
			what = "block"
		}
		return who + "=" + what
	}}

func parseOverride(s string) (ratelimit.Override, error) {
	who, text, found := strings.Cut(s, "=")
	if !found {
		return ratelimit.Override{}, errForm
	}
	var o ratelimit.Override
	var err error
	if device, ok := strings.CutPrefix(who, "device:"); ok {
		if o.Device = device; device == "" {
			return o, errForm
		}
	} else if o.Prefix, err = parsePrefix(who); err != nil {
		return o, err
	}
	if text == "block" {
		o.Block = true
		return o, nil
	}
	o.Rate, err = parseRate(text)
	return o, err
}

var apiKey = kind[ratelimit.APIKey]{"NAME:SHA256=RATE, where SHA256 is that of the key, in hex", func(s string) (ratelimit.APIKey, error) {
	who, text, _ := strings.Cut(s, "=")
	name, digest, found := strings.Cut(who, ":")
	sum, err := hex.DecodeString(digest)
	if !found || err != nil || len(sum) != sha256.Size || !isName(name) {
		return ratelimit.APIKey{}, errors.New("is not valid (give the SHA-256 of the key, not the key itself)")
	}
	r, err := parseRate(text)
	return ratelimit.APIKey{Name: name, SHA256: [32]byte(sum), Rate: r}, err
}, func(k ratelimit.APIKey) string {
	return k.Name + ":" + hex.EncodeToString(k.SHA256[:]) + "=" + formatRate(k.Rate)
}}

// NewAPIKey makes a key of 32 random bytes for a program and the entry of
// api_keys that lets it in at a rate such as "1000/1h". The key is not
// stored anywhere and cannot be recovered.
func NewAPIKey(program, text string) (key, entry string, err error) {
	if !isName(program) {
		return "", "", errors.New("a program's name must consist of lower-case letters, digits and dashes")
	}
	r, err := parseRate(text)
	if err != nil {
		return "", "", fmt.Errorf("%q is not valid; expected %s", text, rate.accepts)
	}
	var random [32]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", "", err
	}
	key = "bgr_" + base64.RawURLEncoding.EncodeToString(random[:])
	return key, apiKey.format(ratelimit.APIKey{Name: program, SHA256: sha256.Sum256([]byte(key)), Rate: r}), nil
}

// FormatRate writes a rate as the settings do.
func FormatRate(r ratelimit.Rate) string { return formatRate(r) }

// WithKeyRates returns the text of api_keys with other rates for some of the keys, by
// their names. The keys themselves are not known, only their hashes.
func (c *Config) WithKeyRates(rates map[string]string) (string, error) {
	all := slices.Clone(c.Limits.Keys)
	for name, text := range rates {
		i := slices.IndexFunc(all, func(k ratelimit.APIKey) bool { return k.Name == name })
		if i < 0 {
			return "", fmt.Errorf("there is no API key %q", name)
		}
		r, err := parseRate(text)
		if err != nil {
			return "", fmt.Errorf("the rate %q of the API key %s %w; expected %s", text, name, err, rate.accepts)
		}
		all[i].Rate = r
	}
	return list(apiKey).format(all), nil
}
