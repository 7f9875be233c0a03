package web

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/ratelimit"
)

const rembgPath = "/api/remove"

func (r reply) details(t *testing.T, status int, text string) {
	t.Helper()
	var body struct{ Detail any }
	if err := json.Unmarshal([]byte(r.body), &body); err != nil || r.status != status || body.Detail == nil || r.header.Get("Content-Type") != "application/json" || !strings.Contains(r.body, text) {
		t.Errorf("%d %s %s, want %d %s", r.status, r.header.Get("Content-Type"), r.body, status, text)
	}
}

// Parameters count wherever they stand.
func TestRembgForms(t *testing.T) {
	var jobs []cutout.Job
	s := start(t, placing(&jobs), func(o *Options) { o.Offers = func(model string) bool { return model == "isnet" } })
	form := func() *testForm { return newForm().fileIn("file", "a.png", "photo") }
	last := func() cutout.Options { return jobs[len(jobs)-1].Options }
	r := s.post(rembgPath, form())
	r.expect(t, 200)
	if r.header.Get("Content-Type") != "image/png" || r.body != string(picture) || last().Model != "" || r.header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("%v, %+v", r.header, last())
	}
	// As photobooth's first version has it, and as its later one.
	s.post(rembgPath+"?model=isnet-general-use&a=true&af=240&ab=10&ae=10&om=true&ppm=true", form()).expect(t, 200)
	if o := last(); o.Model != "isnet" || o.Output != cutout.Matte || o.Edges != cutout.Hard {
		t.Errorf("in the query: %+v", o)
	}
	s.post(rembgPath+"?bgc="+url.QueryEscape("1,2,3,255")+"&extras=%7B%7D", form().field("model", "isnet-general-use").field("a", "True").field("om", "false")).expect(t, 200)
	if o := last(); o.Model != "isnet" || o.Output == cutout.Matte || o.Background.From.G != 2 {
		t.Errorf("in the form: %+v", o)
	}
	s.post(rembgPath, form().field("model", "u2net"), "X-Api-Key", "anything").expect(t, 200)
	if len(jobs) != 4 || string(jobs[0].Upload) != "photo" {
		t.Errorf("%d jobs", len(jobs))
	}
}

func TestRembgErrors(t *testing.T) {
	s := start(t, succeed)
	form := func() *testForm { return newForm().fileIn("file", "a.png", "photo") }
	s.post(rembgPath, newForm()).details(t, 422, `{"detail":[{"type":"missing","loc":["body","file"],"msg":"Field required","input":null}]}`)
	s.do("POST", rembgPath, strings.NewReader("photo")).details(t, 422, `"missing"`)
	s.post(rembgPath, form().field("af", "x")).details(t, 422, `"int_parsing"`)
	s.post(rembgPath, form().field("model", "nothing")).details(t, 422, `"string_pattern_mismatch"`)
	s.post(rembgPath, form().fileIn("file", "b.png", "photo")).details(t, 400, "Too many photos")
	s.get(rembgPath).details(t, 422, `{"detail":[{"type":"missing","loc":["query","url"],"msg":"Field required","input":null}]}`)
	s.get(rembgPath+"?url=http://a.test/b").details(t, 400, "does not download photos")
	s.get(rembgPath+"?url=http://a.test/b", "Sec-Fetch-Site", "cross-site").details(t, 403, "another site")
	s.post(rembgPath, form(), "Sec-Fetch-Site", "cross-site").details(t, 403, "another site")
	s.post(rembgPath, newForm().fileIn("file", "a", strings.Repeat("x", 1<<20+1))).details(t, 413, "up to 1 MB")
	if r := s.do("PUT", rembgPath, nil); r.status != 405 {
		t.Errorf("PUT: %d", r.status)
	}
	broken := start(t, func(context.Context, cutout.Job) (*cutout.Result, error) {
		return nil, cutout.Errorf(cutout.UnsupportedFormat, "This is not a photo.")
	})
	broken.post(rembgPath, form()).details(t, 415, "not a photo")
	s = start(t, succeed, limited(ratelimit.Rules{Device: ratelimit.Rate{Count: 1, Period: 1e12}}))
	s.post(rembgPath, form()).expect(t, 200)
	r := s.post(rembgPath, form())
	r.details(t, 429, "as many photos")
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
