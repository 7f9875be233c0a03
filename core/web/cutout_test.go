package web

import (
	"archive/zip"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/ratelimit"
)

const formPath = "/device/cutouts"

// fussy refuses photos that say so.
func fussy(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
	if strings.HasPrefix(string(job.Upload), "bad") {
		return nil, cutout.Errorf(cutout.UnsupportedFormat, "This file is not a picture.")
	}
	return succeed(ctx, job)
}

func (r reply) find(t *testing.T, selector string) *goquery.Selection {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	return doc.Find(selector)
}

func dataURI(mediaType string) string {
	return "data:" + mediaType + ";base64," + base64.StdEncoding.EncodeToString(picture)
}

func TestFormAnswersAWholePage(t *testing.T) {
	s := start(t, fussy)
	form := newForm().field("mode", "fast").file("one.jpg", "photo 1").file("two.txt", "bad 2").file("three.jpg", "photo 3").field("format", "webp")
	r := s.post(formPath, form)
	r.expect(t, 200, "<!doctype html>", "This file is not a picture.")
	downloads := r.find(t, "a[download]")
	if downloads.Length() != 2 {
		t.Fatalf("%d downloads", downloads.Length())
	}
	if href, _ := downloads.First().Attr("href"); href != dataURI("image/webp") {
		t.Errorf("download: %.80s", href)
	}
	if r.header.Get("Cache-Control") != "private, no-store" {
		t.Error(r.header)
	}
}

func TestFormAnswersFragmentsForHTMX(t *testing.T) {
	s := start(t, fussy)
	r := s.post(formPath, newForm().file("a", "photo"), "HX-Request", "true")
	r.expect(t, 200, dataURI("image/png"))
	if strings.Contains(r.body, "<html") || r.find(t, "article.arrival").Length() != 1 {
		t.Errorf("%.300s", r.body)
	}
	both := s.post(formPath, newForm().file("a", "photo").file("b", "bad"), "HX-Request", "true")
	both.expect(t, 200, dataURI("image/png"), `data-code="unsupported_format"`)
	s.post(formPath, newForm().file("b", "bad"), "HX-Request", "true").expect(t, 415, `data-code="unsupported_format"`)
}

func TestFormAnswersFiles(t *testing.T) {
	s := start(t, fussy)
	one := s.post(formPath, newForm().field("answer", "file").file("a", "photo"))
	if one.status != 200 || one.body != string(picture) || one.header.Get("Content-Disposition") != `attachment; filename="cutout.png"` {
		t.Errorf("%d %v", one.status, one.header)
	}
	s.post(formPath, newForm().field("answer", "file").file("a", "bad")).expect(t, 415, "<!doctype html>")

	several := s.post(formPath, newForm().field("format", "jpeg").file("a", "photo").file("b", "bad").file("c", "photo").field("answer", "file"))
	several.expect(t, 200)
	if several.header.Get("Content-Type") != "application/zip" || several.header.Get("Content-Security-Policy") != filePolicy {
		t.Error(several.header)
	}
	archive, err := zip.NewReader(strings.NewReader(several.body), int64(len(several.body)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"cutout-1.jpg": string(picture), "cutout-3.jpg": string(picture), "errors.txt": "Photo 2 (b): This file is not a picture.\n"}
	for _, f := range archive.File {
		content, _ := f.Open()
		text, _ := io.ReadAll(content)
		if want[f.Name] != string(text) {
			t.Errorf("%s: %q", f.Name, text)
		}
		delete(want, f.Name)
	}
	if len(want) > 0 {
		t.Errorf("the archive lacks %v", want)
	}
}

func TestFormRefuses(t *testing.T) {
	s := start(t, succeed)
	eleven := newForm()
	for range defaultSettings().MaxPhotos + 1 {
		eleven.file("a", "photo")
	}
	unchosen := newForm()
	_, _ = unchosen.writer.CreateFormFile("image", "")
	for name, tt := range map[string]struct {
		answer reply
		status int
		text   string
	}{
		"nothing chosen":      {s.post(formPath, unchosen), 400, "Choose a photo"},
		"eleven photos":       {s.post(formPath, eleven), 400, "at most 10"},
		"an empty file":       {s.post(formPath, newForm().file("a", "")), 400, "empty"},
		"no form":             {s.do(http.MethodPost, formPath, strings.NewReader("photo")), 400, "multipart/form-data"},
		"one photo too big":   {s.post(formPath, newForm().file("a", strings.Repeat("x", 1<<20+1))), 413, "1 MB"},
		"another site":        {s.post(formPath, newForm().file("a", "x"), "Sec-Fetch-Site", "cross-site"), 403, "another site"},
		"a null origin":       {s.post(formPath, newForm().file("a", "x"), "Origin", "null"), 403, "another site"},
		"a colour that is no": {s.post(formPath, newForm().field("background", "red").file("a", "x")), 400, "#ffffff"},
		"DELETE":              {s.do(http.MethodDelete, formPath, nil), 405, "GET, HEAD, POST"},
	} {
		tt.answer.expect(t, tt.status, tt.text, "<!doctype html>")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	r := s.get(formPath)
	if r.status != 303 || r.header.Get("Location") != "/" {
		t.Errorf("a reload: %d %v", r.status, r.header)
	}
	s.post(formPath, newForm().file("a", "x"), "Origin", s.url, "Referer", s.url+"/").expect(t, 200)
}

// The photo that is too large keeps its place; the others work out.
func TestOneBadPhotoLeavesTheOthers(t *testing.T) {
	s := start(t, succeed)
	r := s.post(formPath, newForm().file("a", strings.Repeat("x", 1<<20+1)).file("b", "photo"))
	r.expect(t, 200, "1 MB")
	if n := r.find(t, "a[download]").Length(); n != 1 {
		t.Errorf("%d downloads", n)
	}
}

func TestEveryPhotoIsCharged(t *testing.T) {
	s := start(t, fussy, limited(ratelimit.Rules{Device: ratelimit.Rate{Count: 4, Period: time.Hour}}))
	r := s.post(formPath, newForm().file("a", "photo").file("b", "bad").file("c", "photo"))
	r.expect(t, 200)
	if got := r.header.Get("RateLimit"); got != `"device";r=1;t=3600` {
		t.Errorf("RateLimit: %s", got)
	}
	r = s.post(formPath, newForm().file("a", "photo").file("b", "photo"))
	r.expect(t, 200, `data-code="rate_limited"`)
	r = s.post(formPath, newForm().file("a", "photo"))
	r.expect(t, 429, "as many photos as this server allows")
	if r.header.Get("Retry-After") == "" || r.header.Get("Cache-Control") != "private, no-store" {
		t.Error(r.header)
	}
	s.do(http.MethodPost, api, strings.NewReader("x")).expect(t, 429) // the same device
	s.post(formPath, newForm().file("a", "photo"), "HX-Request", "true").expect(t, 429, `data-code="rate_limited"`, "data-retry-after=")
}

// Uploads that are refused count too, and a refusal by limit reads no photo.
func TestRefusedUploadsAreCharged(t *testing.T) {
	s := start(t, succeed, limited(ratelimit.Rules{Device: ratelimit.Rate{Count: 3, Period: time.Hour}}))
	s.do(http.MethodPost, api, nil).expect(t, 400)
	s.do(http.MethodPost, api, strings.NewReader(strings.Repeat("x", 2<<20))).expect(t, 413)
	s.post(formPath, newForm()).expect(t, 400)
	s.do(http.MethodPost, api, strings.NewReader("x")).expect(t, 429)
	s.get("/").expect(t, 200)
}

// Errors without scripts name their photo, shortened, and a name is no markup.
func TestErrorsNameTheirPhoto(t *testing.T) {
	s := start(t, fussy)
	form := newForm().file("<i>holiday.jpg", "bad").file(strings.Repeat("ä", 300)+".jpg", "bad")
	r := s.post(formPath, form)
	r.expect(t, 415, "Photo 1 · <bdi>&lt;i&gt;holiday.jpg", "Photo 2 · <bdi>"+strings.Repeat("ä", 80)+"…<")
}

// A device that the operator has blocked learns that, and nothing of a limit.
func TestBlockedHasItsOwnCode(t *testing.T) {
	s := start(t, succeed, func(o *Options) { o.Limiter = blocking{o.Limiter} })
	r := s.do(http.MethodPost, api, strings.NewReader("photo"))
	if p := r.problem(t); r.status != 403 || p.Code != blocked || !strings.Contains(p.Detail, "has blocked this device") {
		t.Errorf("%d %+v", r.status, p)
	}
}

// blocking blocks every device.
type blocking struct{ Limiter }

func (blocking) Charge(context.Context, ratelimit.Key, int) ratelimit.Decision {
	return ratelimit.Decision{Blocked: true, RetryAfter: time.Hour}
}
