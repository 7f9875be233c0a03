package httpcache

import (
	"bytes"
	"testing"
)

func TestAcceptEncodingIsRead(t *testing.T) {
	d := Compressed("text/plain", bytes.Repeat([]byte("text "), 500))
	for accept, want := range map[string]string{
		"":                             "",
		"br":                           "br",
		"gzip, deflate, br, zstd":      "br",
		"gzip, deflate":                "gzip",
		"GZIP":                         "gzip",
		"gzip;q=1.0, br;q=0":           "gzip",
		"gzip; q=0.5, zstd;q=0.1":      "zstd",
		"*":                            "br",
		"*;q=0":                        "",
		"br;q=0, *":                    "zstd",
		"identity":                     "",
		"gzip;q=rubbish":               "",
		"br;q=0.000, gzip;q=0, zst, ,": "",
	} {
		if got := d.pick([]string{accept}).encoding; got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
	if got := d.pick([]string{"deflate", "gzip"}).encoding; got != "gzip" {
		t.Errorf("two lines: %q", got)
	}
}
