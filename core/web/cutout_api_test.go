package web

import (
	"context"
	"encoding/json"
	"errors"
	"image/color"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/ratelimit"
)

const api = "/api/v1/cutouts"

// remembering answers as succeed does and keeps the jobs.
func remembering(jobs *[]cutout.Job) removerFunc {
	return func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
		*jobs = append(*jobs, job)
		return succeed(ctx, job)
	}
}

func TestAPIAnswersThePicture(t *testing.T) {
	s := start(t, succeed)
	r := s.do(http.MethodPost, api+"?format=webp&mode=fast", strings.NewReader("photo"))
	r.expect(t, 200)
	if r.body != string(picture) {
		t.Errorf("body %q", r.body)
	}
	for name, want := range map[string]string{
		"Content-Type":            "image/webp",
		"Content-Disposition":     `attachment; filename="cutout.webp"`,
		"Content-Security-Policy": "sandbox; default-src 'none'",
		"X-Content-Type-Options":  "nosniff",
		"Cache-Control":           "private, no-store",
		"X-Backend":               "onnx-cpu",
		"X-Model":                 "isnet",
		"X-Mode":                  "fast; sizes=512,1024",
		"X-Subject":               "",
		"Server-Timing":           "decode;dur=1.5, infer;dur=100.0, model;dur=90.0",
		"Set-Cookie":              "",
		"Ratelimit":               `"device";r=999;t=3600, "network";r=9999;t=3600`,
		"Ratelimit-Policy":        `"device";q=1000;w=3600, "network";q=10000;w=3600`,
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestModelsThatMayNotBeLoaded: who has had too many loaded by naming them gets
// an answer that says so, and nothing is worked on; who names none is served.
func TestModelsThatMayNotBeLoaded(t *testing.T) {
	var jobs []cutout.Job
	s := start(t, remembering(&jobs), func(o *Options) {
		o.MayLoad = func(_ context.Context, who ratelimit.Key, wish cutout.Options) error {
			if who.Device == "" || !who.Addr.IsValid() {
				t.Errorf("asked for nobody: %+v", who)
			}
			if wish.Model == "" {
				return nil
			}
			return &cutout.Error{Code: cutout.RateLimited, Message: "Leave out model.", RetryAfter: time.Minute}
		}
	})
	r := s.do(http.MethodPost, api+"?model=u2net", strings.NewReader("photo"))
	if r.expect(t, 429); !strings.Contains(r.body, "Leave out model.") || r.header.Get("Retry-After") != "60" || len(jobs) != 0 {
		t.Errorf("%s, %v, %d jobs", r.body, r.header, len(jobs))
	}
	s.do(http.MethodPost, api, strings.NewReader("photo")).expect(t, 200)
}

// Where nobody chooses a mode, the operator does: the pipeline gets none.
func TestNoModeIsTheOperators(t *testing.T) {
	var jobs []cutout.Job
	s := start(t, remembering(&jobs))
	s.do(http.MethodPost, api, strings.NewReader("x")).expect(t, 200)
	s.post(formPath, newForm().file("a.jpg", "x").field("mode", "")).expect(t, 200)
	for _, job := range jobs {
		if job.Options.Mode != "" {
			t.Errorf("mode %q", job.Options.Mode)
		}
	}
	s.get("/").expect(t, 200, `value="auto" checked`)
}

func TestAPIReadsPhotosAndOptionsAnywhere(t *testing.T) {
	want := cutout.Options{Mode: cutout.Best, Format: cutout.JPEG, Output: cutout.Matte, Edges: cutout.Raw, Depth: 16, Model: "u2net", Backend: "onnx-cuda"}
	const query = "?mode=best&format=jpg&output=mask&edges=raw&depth=16&model=u2net&backend=onnx-cuda"
	fields := func(f *testForm) *testForm {
		return f.field("mode", "best").field("format", "jpeg").field("output", "mask").field("edges", "raw").
			field("depth", "16").field("model", "u2net").field("backend", "onnx-cuda")
	}
	var jobs []cutout.Job
	s := start(t, remembering(&jobs))
	s.do(http.MethodPost, api+query, strings.NewReader("the photo"), "Content-Type", "application/x-www-form-urlencoded").expect(t, 200)
	s.post(api, fields(newForm()).file("a.jpg", "the photo")).expect(t, 200)
	s.post(api, fields(newForm().file("a.jpg", "the photo"))).expect(t, 200)
	s.post(api+"?mode=fast&format=jpg&output=mask&edges=raw&depth=16&model=u2net&backend=onnx-cuda",
		newForm().file("a.jpg", "the photo").field("mode", "best")).expect(t, 200)
	if len(jobs) != 4 {
		t.Fatalf("%d jobs", len(jobs))
	}
	for i, job := range jobs {
		if string(job.Upload) != "the photo" || !reflect.DeepEqual(job.Options, want) {
			t.Errorf("job %d: %q %+v", i, job.Upload, job.Options)
		}
	}
}

func TestAPIReadsWhatBelongsAroundTheSubject(t *testing.T) {
	var jobs []cutout.Job
	s := start(t, remembering(&jobs))
	s.do(http.MethodPost, api+"?background=%23f80&crop=5&shadow=40", strings.NewReader("x")).expect(t, 200)
	s.post(api+"?background=blur", newForm().file("a.jpg", "x").fileIn("background", "beach.jpg", "a beach")).expect(t, 200)
	s.post(api, newForm().field("background", "#fff,#000,90").file("a.jpg", "x").fileIn("background", "", "")).expect(t, 200)
	if o := jobs[0].Options; !reflect.DeepEqual(o.Background, cutout.Plain(color.NRGBA{R: 255, G: 0x88, A: 255})) || *o.Crop != 0.05 || o.Shadow != 0.4 {
		t.Errorf("in the query: %+v", o)
	}
	if o := jobs[1].Options; string(o.Background.Picture) != "a beach" || o.Background.Blur != 0 {
		t.Errorf("a picture outranks the rest: %+v", o.Background)
	}
	if o := jobs[2].Options; o.Background == nil || o.Background.Degrees != 90 {
		t.Errorf("an empty file field is no background: %+v", o.Background)
	}
	s.do(http.MethodPost, api+"?keep=10,20;30,40&remove=50%25,5%25", strings.NewReader("x")).expect(t, 200)
	if o := jobs[len(jobs)-1].Options; len(o.Keep) != 2 || o.Keep[1] != (cutout.Point{X: 30, Y: 40}) || len(o.Remove) != 1 || !o.Remove[0].Percent {
		t.Errorf("points: %+v, %+v", o.Keep, o.Remove)
	}
	s.do(http.MethodPost, api+"?aspect=4:5&crop=20", strings.NewReader("x")).expect(t, 200)
	s.post(api, newForm().field("size", "2000x1000").field("margin", "5").file("a.jpg", "x")).expect(t, 200)
	for i, want := range []cutout.Frame{{Aspect: 0.8, Margin: 0.2}, {Width: 2000, Height: 1000, Margin: 0.05}} {
		if o := jobs[len(jobs)-2+i].Options; o.Layout == nil || o.Layout.Frame == nil || *o.Layout.Frame != want {
			t.Errorf("a frame: %+v", o.Layout)
		}
	}
	for _, query := range []string{"aspect=wide", "size=big", "margin=101", "size=1x1&aspect=1:1", "background=red", "background=%23fff,%23000,up", "crop=-1", "crop=tight", "shadow=101", "shadow=NaN", "keep=5", "remove=1,2%25", "box=1,2,3", "box=5,5,a,9", "hints=keep.png"} {
		option, _, _ := strings.Cut(query, "=")
		if p := s.do(http.MethodPost, api+"?"+query, strings.NewReader("x")).problem(t); p.Code != cutout.Invalid || !strings.Contains(p.Detail, option) {
			t.Errorf("%s: %+v", query, p)
		}
	}
	two := newForm().file("a.jpg", "x").fileIn("background", "1.jpg", "1").fileIn("background", "2.jpg", "2")
	if p := s.post(api, two).problem(t); p.Code != cutout.Invalid {
		t.Errorf("two pictures: %+v", p)
	}
	huge := newForm().file("a.jpg", "x").fileIn("background", "1.jpg", strings.Repeat("x", 1<<20+1))
	if p := s.post(api, huge).problem(t); p.Code != cutout.TooLarge {
		t.Errorf("too large a picture: %+v", p)
	}
}

func TestAPISaysHowSureTheSubjectIs(t *testing.T) {
	for subject, want := range map[cutout.Subject]string{cutout.SubjectFound: "", cutout.SubjectUnsure: "unsure", cutout.SubjectNone: "none"} {
		s := start(t, func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
			r, err := succeed(ctx, job)
			r.Subject = subject
			return r, err
		})
		r := s.do(http.MethodPost, api, strings.NewReader("photo"))
		r.expect(t, 200)
		if got := r.header.Get("X-Subject"); got != want {
			t.Errorf("%s: X-Subject: %q", subject, got)
		}
	}
}

// problem reads problem+json.
func (r reply) problem(t *testing.T) problemBody {
	t.Helper()
	var p problemBody
	if err := json.Unmarshal([]byte(r.body), &p); err != nil {
		t.Fatalf("no problem+json: %v: %.200s", err, r.body)
	}
	if r.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("type %q", r.header.Get("Content-Type"))
	}
	if p.Status != r.status || p.Title == "" || p.Detail == "" || p.Type == "" {
		t.Errorf("status %d: %+v", r.status, p)
	}
	return p
}

func TestEveryErrorHasItsStatusAndShape(t *testing.T) {
	var failure error
	s := start(t, func(context.Context, cutout.Job) (*cutout.Result, error) { return nil, failure })
	secret := errors.New("the cause, for the log")
	for code, want := range map[cutout.Code]int{
		cutout.Invalid: 400, cutout.TooLarge: 413, cutout.TooManyPixels: 413, cutout.UnsupportedFormat: 415, cutout.RateLimited: 429,
		cutout.Busy: 503, cutout.BackendUnavailable: 503, cutout.Timeout: 504, cutout.Canceled: 499, cutout.Internal: 500,
	} {
		failure = &cutout.Error{Code: code, Message: "A sentence about " + string(code) + ".", Err: secret}
		r := s.do(http.MethodPost, api, strings.NewReader("photo"))
		if p := r.problem(t); r.status != want || p.Code != code || p.Detail != cutout.MessageOf(failure) {
			t.Errorf("%s: %d %+v", code, r.status, p)
		}
		whole := s.post("/device/cutouts", newForm().file("a.jpg", "photo"))
		whole.expect(t, want, "<!doctype html>", cutout.MessageOf(failure))
		fragment := s.post("/device/cutouts", newForm().file("a.jpg", "photo"), "HX-Request", "true")
		fragment.expect(t, want, `data-code="`+string(code)+`"`, cutout.MessageOf(failure))
		if strings.Contains(fragment.body, "<html") {
			t.Errorf("%s: a page for htmx", code)
		}
		for _, r := range []reply{r, whole, fragment} {
			if r.header.Get("Cache-Control") != "private, no-store" || strings.Contains(r.body, secret.Error()) {
				t.Errorf("%s: %v %s", code, r.header, r.body)
			}
		}
	}
}

func TestErrorsWithoutACodeStayVague(t *testing.T) {
	s := start(t, func(context.Context, cutout.Job) (*cutout.Result, error) { return nil, errors.New("pointer 0xbad") })
	r := s.do(http.MethodPost, api, strings.NewReader("photo"))
	if p := r.problem(t); r.status != 500 || p.Code != cutout.Internal || strings.Contains(r.body, "0xbad") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if !strings.Contains(s.log.String(), "0xbad") {
		t.Error("the log lacks the cause")
	}
}

func TestRetryAfterIsTold(t *testing.T) {
	s := start(t, func(context.Context, cutout.Job) (*cutout.Result, error) {
		return nil, &cutout.Error{Code: cutout.Busy, Message: "Busy.", RetryAfter: 2500 * time.Millisecond}
	})
	r := s.do(http.MethodPost, api, strings.NewReader("photo"))
	if p := r.problem(t); r.header.Get("Retry-After") != "3" || p.RetryAfter != 3 || !strings.HasSuffix(p.Type, "#temporary-reduced-capacity") {
		t.Errorf("%v %+v", r.header, p)
	}
}

func TestAPIRefuses(t *testing.T) {
	s := start(t, succeed)
	many := newForm()
	for range 1000 {
		many.field("mode", "fast")
	}
	ten := func(n int) *testForm {
		f := newForm()
		for range n {
			f.file("a.jpg", "photo")
		}
		return f
	}
	tests := []struct {
		name   string
		answer reply
		status int
		code   cutout.Code
		detail string
	}{
		{"GET", s.get(api), 405, wrongMethod, "POST"},
		{"PUT", s.do(http.MethodPut, api, strings.NewReader("x")), 405, wrongMethod, "POST"},
		{"no body", s.do(http.MethodPost, api, nil), 400, cutout.Invalid, "image"},
		{"no photo in the form", s.post(api, newForm().field("mode", "fast")), 400, cutout.Invalid, "image"},
		{"an empty form", s.post(api, newForm()), 400, cutout.Invalid, ""},
		{"an empty file", s.post(api, newForm().file("a.jpg", "")), 400, cutout.Invalid, "empty"},
		{"two photos", s.post(api, ten(2)), 400, cutout.Invalid, "at most 1"},
		{"a wrong mode", s.do(http.MethodPost, api+"?mode=slow", strings.NewReader("x")), 400, cutout.Invalid, "auto, fast, best"},
		{"a wrong mode as a field", s.post(api, newForm().file("a", "x").field("mode", "slow")), 400, cutout.Invalid, "auto, fast, best"},
		{"an unknown option", s.do(http.MethodPost, api+"?sizes=9", strings.NewReader("x")), 400, cutout.Invalid, "background"},
		{"a colour that is none", s.do(http.MethodPost, api+"?background=red", strings.NewReader("x")), 400, cutout.Invalid, "#ffffff"},
		{"a model that is no name", s.do(http.MethodPost, api+"?model=../../etc/passwd", strings.NewReader("x")), 400, cutout.Invalid, "name"},
		{"many fields", s.post(api, many), 400, cutout.Invalid, "too many fields"},
		{"a long field", s.post(api, newForm().field("mode", strings.Repeat("x", 4096))), 400, cutout.Invalid, "too long"},
		{"a long file name", s.post(api, newForm().file(strings.Repeat("n", 1<<20), "photo")), 400, cutout.Invalid, "too long"},
		{"no multipart at all", s.do(http.MethodPost, api, strings.NewReader("--x\r\nphoto"), "Content-Type", "multipart/form-data; boundary=x"), 400, cutout.Invalid, "multipart"},
		{"too large, told", s.do(http.MethodPost, api, strings.NewReader(strings.Repeat("x", 1<<20+1))), 413, cutout.TooLarge, "1 MB"},
		{"too large in a form", s.post(api, newForm().file("a", strings.Repeat("x", 1<<20+1))), 413, cutout.TooLarge, "1 MB"},
		{"too large, untold", s.do(http.MethodPost, api, struct{ *strings.Reader }{strings.NewReader(strings.Repeat("x", 3<<20))}), 413, cutout.TooLarge, "1 MB"},
		{"nothing at the address", s.do(http.MethodPost, "/api/v2/cutouts", strings.NewReader("x")), 404, notFound, ""},
		{"another site", s.do(http.MethodPost, api, strings.NewReader("x"), "Sec-Fetch-Site", "cross-site"), 403, forbidden, "another site"},
		{"another site, old browser", s.do(http.MethodPost, api, strings.NewReader("x"), "Origin", "https://evil.example"), 403, forbidden, "another site"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := tt.answer.problem(t)
			if tt.answer.status != tt.status || p.Code != tt.code || !strings.Contains(p.Detail, tt.detail) {
				t.Errorf("got %d %+v", tt.answer.status, p)
			}
			if allow := tt.answer.header.Get("Allow"); tt.status == 405 && allow != "POST" {
				t.Errorf("Allow: %q", allow)
			}
		})
	}
	s.do(http.MethodPost, api, strings.NewReader(strings.Repeat("x", 1<<20))).expect(t, 200)
}

func TestAPIKeys(t *testing.T) {
	key := ratelimit.APIKey{Name: "friend", SHA256: sha256Of("k3y"), Rate: ratelimit.Rate{Count: 3, Period: time.Hour}}
	s := start(t, succeed, limited(ratelimit.Rules{Device: ratelimit.Rate{Count: 1, Period: time.Hour}, Keys: []ratelimit.APIKey{key}}))
	for range 2 {
		s.do(http.MethodPost, api, strings.NewReader("x"), "X-API-Key", "k3y").expect(t, 200)
	}
	s.do(http.MethodPost, api, strings.NewReader("x"), "Authorization", "Bearer k3y").expect(t, 200)
	s.do(http.MethodPost, api, strings.NewReader("x"), "Authorization", "Bearer k3y").expect(t, 429)
	guess := s.do(http.MethodPost, api, strings.NewReader("x"), "Authorization", "Bearer wrong")
	if p := guess.problem(t); guess.status != 401 || p.Code != unknownKey || guess.header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("%d %+v", guess.status, p)
	}
	s.do(http.MethodPost, api, strings.NewReader("x"), "X-API-Key", "wrong again").expect(t, 429)
}

// Hints come as a file, a box as numbers; several hints, and points without end, are
// errors that say so.
func TestAPIReadsHintsAndABox(t *testing.T) {
	var jobs []cutout.Job
	s := start(t, remembering(&jobs))
	s.post(api+"?box=10%25,20,30,40%25", newForm().fileIn("hints", "h.png", "hints").file("a.jpg", "x")).expect(t, 200)
	s.post(api, newForm().file("a.jpg", "x").fileIn("hints", "", "")).expect(t, 200)
	s.post(formPath, newForm().fileIn("hints", "h.png", "hints").file("a.jpg", "x").field("box", "1,2,3,4")).expect(t, 200)
	length := func(v float64, percent bool) cutout.Length { return cutout.Length{Value: v, Percent: percent} }
	for i, want := range []struct {
		hints string
		box   *cutout.Region
	}{
		{"hints", &cutout.Region{Left: length(10, true), Top: length(20, false), Right: length(30, false), Bottom: length(40, true)}},
		{"", nil},
		{"hints", &cutout.Region{Left: length(1, false), Top: length(2, false), Right: length(3, false), Bottom: length(4, false)}},
	} {
		if o := jobs[i].Options; string(o.Hints) != want.hints || !reflect.DeepEqual(o.Region, want.box) {
			t.Errorf("job %d: hints %q, box %+v", i, o.Hints, o.Region)
		}
	}
	for name, form := range map[string]*testForm{
		"twice":            newForm().file("a.jpg", "x").fileIn("hints", "h.png", "one").fileIn("hints", "h.png", "two"),
		"as text":          newForm().file("a.jpg", "x").field("hints", "green"),
		"a million points": newForm().file("a.jpg", "x").field("keep", strings.Repeat("1,1;", 1e6)),
	} {
		if p := s.post(api, form).problem(t); p.Code != cutout.Invalid || p.Detail == "" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if len(jobs) != 3 {
		t.Errorf("%d jobs", len(jobs))
	}
}
