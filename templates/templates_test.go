package templates

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"bgremover.pro/templates/texts"
)

func newSet(t *testing.T) *Set {
	t.Helper()
	set, err := New(texts.English, func(name string) string { return "/static/v/" + name })
	if err != nil {
		t.Fatal(err)
	}
	return set.For(Site{Name: "BGRemover", PublicURL: "https://example.org"})
}

func everyView() []View {
	limits := Limits{MaxUpload: 30 << 20, MaxPixels: 50_000_000, MaxPhotos: 10}
	buckets := []Bucket{{Name: "device", Limit: 60, Remaining: 3, Resets: time.Hour}, {Name: "network", Limit: 600, Remaining: 500, Resets: time.Minute}}
	result := ResultCard{Picture: []byte("png"), MediaType: "image/png", Width: 40, Height: 30, Subject: "found", Mode: "auto", Model: "isnet", Took: time.Second}
	return []View{
		Home{Limits: limits}, Gallery{}, Offline{}, Contact{}, Contact{Email: "me@example.org"},
		Privacy{Limits: limits, Device: Rate{60, time.Hour}, Network: Rate{600, time.Hour}, LogDays: 30, CookieLife: 24 * time.Hour, KeyLife: 24 * time.Hour},
		Privacy{Proxies: true, SharedCounters: true, ContactEmail: "me@example.org"},
		Results{}, Card{Number: 1, Result: &result}, Card{Number: 2, Error: &ErrorCard{Code: "busy", Message: "Busy.", RetryAfter: time.Minute}},
		result, ResultCard{MediaType: "image/webp"},
		ErrorCard{Code: "too_large", Message: "Too large.", Limits: limits}, ErrorCard{Code: "rate_limited", RetryAfter: 90 * time.Second},
		ErrorPage{Status: 404, Code: "not_found"}, ErrorPage{Status: 429, Code: "rate_limited", Message: "Wait.", RetryAfter: time.Hour},
		Quota{Buckets: buckets}, Queue{Upload: "abc", Stage: "waiting", Ahead: 2}, Queue{},
		Data{ID: "abcd", Cookie: true, CookieEnds: time.Hour, KeyEnds: time.Hour, Buckets: buckets, LogDays: 30}, Data{}, Forgotten{},
	}
}

func TestEveryViewRenders(t *testing.T) {
	set := newSet(t)
	for i, view := range everyView() {
		t.Run(fmt.Sprintf("%d_%T", i, view), func(t *testing.T) {
			var out bytes.Buffer
			if err := set.Render(&out, view); err != nil {
				t.Fatal(err)
			}
			html := out.String()
			if strings.Contains(html, "ZgotmplZ") || strings.Contains(html, set.mark) {
				t.Errorf("something was left out of:\n%s", html)
			}
			if page := strings.HasPrefix(view.name(), "page/"); page != strings.HasPrefix(html, "<!doctype html>") {
				t.Errorf("page is %v, but the text begins %.20q", page, html)
			}
		})
	}
}

func TestPicturesAreStreamedInBase64(t *testing.T) {
	set := newSet(t)
	// Lengths around the pieces that the encoder works in, and one with all bytes.
	for _, n := range []int{0, 1, 2, 3, 48<<10 - 1, 48 << 10, 48<<10 + 1, 200_001} {
		picture := make([]byte, n)
		for i := range picture {
			picture[i] = byte(i * 7)
		}
		want := `"data:image/webp;base64,` + base64.StdEncoding.EncodeToString(picture) + `"`
		card := ResultCard{Picture: picture, MediaType: "image/webp"}
		for count, view := range []View{1: card, 2: Card{Number: 1, Result: &card}} {
			if view == nil {
				continue
			}
			var out bytes.Buffer
			if err := set.Render(&out, view); err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(out.String(), want); got != count {
				t.Errorf("%d bytes in %T: found %d times, want %d", n, view, got, count)
			}
		}
	}
}

func TestMessagesAreEscaped(t *testing.T) {
	var out bytes.Buffer
	if err := newSet(t).Render(&out, ErrorCard{Code: "invalid", Message: `<img src=x onerror="alert(1)">`}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "<img") {
		t.Errorf("unescaped: %s", out.String())
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAClosedConnectionIsReported(t *testing.T) {
	if err := newSet(t).Render(brokenWriter{}, Offline{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

func TestPagesHoldNothingThatMayNotBeCached(t *testing.T) {
	set := newSet(t)
	for _, view := range []View{Home{}, Gallery{}, Offline{}, Contact{}, Privacy{}, ErrorPage{Status: 404, Code: "not_found"}} {
		var first, second bytes.Buffer
		if err := errors.Join(set.Render(&first, view), newSet(t).Render(&second, view)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%T differs from one set to the next", view)
		}
		for _, forbidden := range []string{"<style", " style=", " onclick", "nonce", "javascript:", "<script>"} {
			if strings.Contains(first.String(), forbidden) {
				t.Errorf("%T holds %q, which the content security policy forbids", view, forbidden)
			}
		}
	}
}

func TestWords(t *testing.T) {
	w := words{texts.English}
	for got, want := range map[string]string{
		w.size(30 << 20):                      "30 MB",
		w.size(1):                             "1 KB",
		w.size(5<<20 + 512<<10):               "5.5 MB",
		w.megapixels(50_000_000):              "50 megapixels",
		w.megapixels(12_300_000):              "12.3 megapixels",
		w.span(time.Second):                   "1 second",
		w.span(90 * time.Second):              "90 seconds",
		w.span(10*time.Minute + time.Second):  "11 minutes",
		w.span(time.Hour):                     "1 hour",
		w.span(24 * time.Hour):                "1 day",
		w.span(30 * 24 * time.Hour):           "30 days",
		w.span(0):                             "0 seconds",
		w.rate(Rate{}):                        "no limit",
		w.rate(Rate{60, time.Hour}):           "60 photos an hour",
		w.rate(Rate{1, time.Minute}):          "1 photo a minute",
		w.rate(Rate{5, 10 * time.Minute}):     "5 photos in 10 minutes",
		extension("image/jpeg"):               "jpg",
		extension("image/webp"):               "webp",
		fmt.Sprint(seconds(1)):                "1",
		fmt.Sprint(seconds(61 * time.Second)): "61",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
