package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/fetch"
	"bgremover.pro/core/ratelimit"
)

const removeBGPath = "/v1.0/removebg"

// placing answers as the pipeline does for a layout, and keeps the jobs.
func placing(jobs *[]cutout.Job) removerFunc {
	return func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
		if jobs != nil {
			*jobs = append(*jobs, job)
		}
		r, err := succeed(ctx, job)
		if job.Options.Layout != nil {
			r.Placed = &cutout.Placed{Subject: image.Rect(10, 20, 110, 220), FullWidth: 4000, FullHeight: 3000}
		}
		return r, err
	}
}

// removeBGErrors reads an error's body as clients do.
func (r reply) removeBGErrors(t *testing.T) removeBGError {
	t.Helper()
	var body struct{ Errors []removeBGError }
	if err := json.Unmarshal([]byte(r.body), &body); err != nil || len(body.Errors) != 1 || body.Errors[0].Title == "" || body.Errors[0].Code == "" {
		t.Fatalf("%d %s: %s", r.status, r.header.Get("Content-Type"), r.body)
	}
	return body.Errors[0]
}

func (r reply) refuses(t *testing.T, status int, code string) {
	t.Helper()
	if got := r.removeBGErrors(t); r.status != status || got.Code != code || r.header.Get("Content-Type") != "application/json" || r.header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("%d %+v, want %d %s", r.status, got, status, code)
	}
}

// Every form of body comes to the same job.
func TestRemoveBGBodies(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString([]byte("photo"))
	form := func() *testForm {
		return newForm().field("size", "hd").field("bg_color", "ff0000").field("image_url", "")
	}
	const wwwForm = "application/x-www-form-urlencoded"
	for name, ask := range map[string]func(*site) reply{
		"multipart":         func(s *site) reply { return s.post(removeBGPath, form().fileIn("image_file", "photo.jpg", "photo")) },
		"multipart, field":  func(s *site) reply { return s.post(removeBGPath, form().field("image_file", "photo")) },
		"multipart, base64": func(s *site) reply { return s.post(removeBGPath, form().field("image_file_b64", b64)) },
		"multipart, data URL": func(s *site) reply {
			return s.post(removeBGPath, form().field("image_file_b64", "data:image/png;base64,"+b64))
		},
		"urlencoded": func(s *site) reply {
			return s.do("POST", removeBGPath, strings.NewReader("size=hd&bg_color=f00&image_file_b64="+url.QueryEscape(b64)), "Content-Type", wwwForm)
		},
		"JSON": func(s *site) reply {
			return s.do("POST", removeBGPath, strings.NewReader(`{"size":"hd","bg_color":"red","image_file_b64":"`+b64+`","crop":false}`), "Content-Type", "application/json")
		},
		"JSON as text": func(s *site) reply {
			return s.do("POST", removeBGPath, strings.NewReader(`{"size":"hd","bg_color":"red","image_file_b64":"`+b64+`"}`), "Content-Type", "text/plain;charset=UTF-8")
		},
		"JSON as a form": func(s *site) reply {
			return s.do("POST", removeBGPath, strings.NewReader(`{"size":"hd","bg_color":"red","image_file_b64":"`+b64+`"}`), "Content-Type", wwwForm)
		},
		"JSON without a type": func(s *site) reply {
			return s.do("POST", removeBGPath, strings.NewReader(`{"size":"hd","bg_color":"red","image_file_b64":"`+b64+`"}`))
		},
		"JSON, broken up": func(s *site) reply {
			return s.do("POST", removeBGPath, io.MultiReader(strings.NewReader(`{"size":"hd","bg_color":"red",`), strings.NewReader(`"image_file_b64":"`+b64+`"}`)))
		},
		"with a key of theirs": func(s *site) reply {
			return s.post(removeBGPath, form().fileIn("image_file", "photo.jpg", "photo"), "X-Api-Key", "anything")
		},
	} {
		var jobs []cutout.Job
		s := start(t, placing(&jobs))
		r := ask(s)
		r.expect(t, 200)
		if r.body != string(picture) || len(jobs) != 1 {
			t.Fatalf("%s: %q, %d jobs", name, r.body, len(jobs))
		}
		o := jobs[0].Options
		if string(jobs[0].Upload) != "photo" || o.Layout.MaxPixels != 4_000_000 || o.Background.From != (color.NRGBA{R: 255, A: 255}) || o.Format != cutout.JPEG || !jobs[0].Hold || jobs[0].Owner == "" {
			t.Errorf("%s: %q, %+v", name, jobs[0].Upload, o)
		}
	}
}

func TestRemoveBGAnswers(t *testing.T) {
	s := start(t, placing(nil))
	ask := func(accept string) reply {
		return s.post(removeBGPath, newForm().fileIn("image_file", "a.png", "photo").field("type", "person"), "Accept", accept)
	}
	plain := ask("*/*")
	plain.expect(t, 200)
	for name, want := range map[string]string{
		"Content-Type": "image/png", "X-Width": "400", "X-Height": "300", "X-Max-Width": "4000", "X-Max-Height": "3000", "X-Type": "person",
		"X-Foreground-Left": "10", "X-Foreground-Top": "20", "X-Foreground-Width": "100", "X-Foreground-Height": "200",
		"X-Credits-Charged": "0", "X-Ratelimit-Limit": "1000", "X-Ratelimit-Remaining": "999", "X-Model": "isnet", "Cache-Control": "private, no-store", "Set-Cookie": "",
	} {
		if got := plain.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	reset, err := strconv.ParseInt(plain.header.Get("X-Ratelimit-Reset"), 10, 64)
	if until := time.Until(time.Unix(reset, 0)); err != nil || until < 50*time.Minute || until > 61*time.Minute {
		t.Errorf("X-Ratelimit-Reset is in %v, %v", until, err)
	}
	for _, accept := range []string{"application/json", "application/json; charset=utf-8", "application/json, text/javascript"} {
		r := ask(accept)
		var body struct {
			Data struct {
				Result []byte `json:"result_b64"`
				Top    int    `json:"foreground_top"`
				Left   int    `json:"foreground_left"`
				Width  int    `json:"foreground_width"`
				Height int    `json:"foreground_height"`
			}
		}
		if err := json.Unmarshal([]byte(r.body), &body); err != nil || r.header.Get("Content-Type") != "application/json" || !bytes.Equal(body.Data.Result, picture) {
			t.Fatalf("%s: %v, %s", accept, err, r.body)
		}
		if d := body.Data; d.Left != 10 || d.Top != 20 || d.Width != 100 || d.Height != 200 || r.header.Get("X-Credits-Charged") != "0" || r.header.Get("X-Type") != "person" {
			t.Errorf("%s: %+v, %v", accept, d, r.header)
		}
	}
	for _, accept := range []string{"", "image/*", "application/json, text/plain, */*", "application/octet-stream"} {
		if r := ask(accept); r.body != string(picture) {
			t.Errorf("%s: %s", accept, r.body)
		}
	}
	zip := s.post(removeBGPath, newForm().fileIn("image_file", "a.png", "photo").field("format", "zip").field("type_level", "none"))
	if zip.header.Get("Content-Type") != "application/zip" || zip.header.Get("Content-Disposition") != `attachment; filename="cutout.zip"` || zip.header.Values("X-Type") != nil {
		t.Error(zip.header)
	}
}

// Every error has the status and the code that clients know.
func TestRemoveBGErrors(t *testing.T) {
	fails := func(err error) removerFunc {
		return func(context.Context, cutout.Job) (*cutout.Result, error) { return nil, err }
	}
	form := func(pairs ...string) *testForm {
		f := newForm().fileIn("image_file", "a.png", "photo")
		for i := 0; i < len(pairs); i += 2 {
			f.field(pairs[i], pairs[i+1])
		}
		return f
	}
	for want, err := range map[string]error{
		"400 failed_to_read_image": cutout.Errorf(cutout.Invalid, "The file is damaged."),
		"400 invalid_file_type":    cutout.Errorf(cutout.UnsupportedFormat, "Not a photo."),
		"400 resolution_too_high":  cutout.Errorf(cutout.TooManyPixels, "Too many pixels."),
		"400 file_too_large":       cutout.Errorf(cutout.TooLarge, "Too large."),
		"400 roi_exceeds_bounds":   cutout.ErrRegionOutside,
		"400 roi_region_empty":     cutout.ErrRegionEmpty,
		"503 busy":                 cutout.Errorf(cutout.Busy, "Busy."),
		"503 backend_unavailable":  cutout.Errorf(cutout.BackendUnavailable, "No model."),
		"504 timeout":              cutout.Errorf(cutout.Timeout, "Too slow."),
		"500 internal":             fmt.Errorf("the pipeline broke"),
		"429 rate_limit_exceeded":  &cutout.Error{Code: cutout.RateLimited, Message: "Too many.", RetryAfter: 7 * time.Second},
	} {
		s := start(t, fails(err))
		r := s.post(removeBGPath, form())
		status, code, _ := strings.Cut(want, " ")
		number, _ := strconv.Atoi(status)
		r.refuses(t, number, code)
		if retry, err := strconv.Atoi(r.header.Get("Retry-After")); (number == 429 || number == 503) && (err != nil || retry < 1) {
			t.Errorf("%s: Retry-After %q", want, r.header.Get("Retry-After"))
		}
	}
	none := func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
		r, err := succeed(ctx, job)
		r.Subject = cutout.SubjectNone
		return r, err
	}
	s := start(t, none)
	s.post(removeBGPath, form()).refuses(t, 400, "unknown_foreground")
	s = start(t, placing(nil))
	s.post(removeBGPath, newForm()).refuses(t, 400, "missing_source")
	s.post(removeBGPath, newForm().fileIn("image_file", "", "")).refuses(t, 400, "missing_source")
	s.do("POST", removeBGPath, nil).refuses(t, 400, "missing_source")
	s.do("POST", removeBGPath, strings.NewReader("{")).refuses(t, 400, "invalid_request")
	s.do("POST", removeBGPath, strings.NewReader(`{"image_file_b64":"*"}`)).refuses(t, 400, "failed_to_read_image")
	s.post(removeBGPath, form("image_file_b64", "QUJD")).refuses(t, 400, "multiple_sources")
	s.post(removeBGPath, form("image_url", "http://a.test/b")).refuses(t, 400, "multiple_sources")
	s.post(removeBGPath, form("size", "huge")).refuses(t, 400, "invalid_size")
	s.post(removeBGPath, form("bg_color", "red").fileIn("bg_image_file", "b.png", "beach")).refuses(t, 400, "multiple_bg_sources")
	s.post(removeBGPath, newForm().field("image_url", "http://a.test/b")).refuses(t, 400, "invalid_image_url")
	s.post(removeBGPath, form("bg_image_url", "http://a.test/b")).refuses(t, 400, "invalid_bg_image_url")
	s.post("/v1.0/improve", form()).refuses(t, 404, "not_found")
	s.get(removeBGPath).refuses(t, 405, "method")
	s.post(removeBGPath, form(), "Sec-Fetch-Site", "cross-site").refuses(t, 403, "forbidden")
}

// A file may be as large as the limit says, as it is and as text, and no larger.
func TestRemoveBGSizes(t *testing.T) {
	var jobs []cutout.Job
	s := start(t, placing(&jobs))
	limit := int(defaultSettings().MaxUpload)
	for extra, want := range map[int]int{0: 200, 1: 400} {
		photo := strings.Repeat("x", limit+extra)
		b64 := base64.StdEncoding.EncodeToString([]byte(photo))
		for name, r := range map[string]reply{
			"multipart": s.post(removeBGPath, newForm().fileIn("image_file", "a", photo)),
			"base64":    s.post(removeBGPath, newForm().field("image_file_b64", b64)),
			"JSON":      s.do("POST", removeBGPath, strings.NewReader(`{"image_file_b64":"`+b64+`"}`)),
			"form":      s.do("POST", removeBGPath, strings.NewReader("image_file_b64="+b64)),
			"behind":    s.post(removeBGPath, newForm().fileIn("image_file", "a", "photo").fileIn("bg_image_file", "b", photo)),
		} {
			if r.status != want {
				t.Errorf("%s, %d too many: %d %.200s", name, extra, r.status, r.body)
			} else if want == 400 {
				r.refuses(t, 400, "file_too_large")
				if !strings.Contains(r.body, "up to 1 MB") {
					t.Errorf("%s: the limit is said to be %s", name, r.body)
				}
			}
		}
	}
	if len(jobs) != 5 {
		t.Errorf("%d jobs", len(jobs))
	}
	s.do("POST", removeBGPath, strings.NewReader(strings.Repeat("x", 3*limit))).refuses(t, 400, "file_too_large")
}

// Whatever way a photo comes and ends, its memory is free afterwards: many after each
// other need no more than one.
func TestDropInsGiveMemoryBack(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, defaultSettings().MaxUpload))
	}))
	defer elsewhere.Close()
	fetcher := fetch.New(fetch.Options{Hosts: []string{strings.TrimPrefix(elsewhere.URL, "http://")}, Permit: func(a netip.Addr) bool { return a.IsLoopback() }})
	released := 0
	holding := func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
		r, err := placing(nil)(ctx, job)
		r.Release = func() { released++ }
		return r, err
	}
	s := start(t, holding, func(o *Options) { o.Fetcher, o.UploadMemory = fetcher, 12<<20 })
	photo := strings.Repeat("x", int(defaultSettings().MaxUpload))
	b64 := base64.StdEncoding.EncodeToString([]byte(photo))
	const rounds = 6
	for range rounds {
		for name, r := range map[string]reply{
			"multipart": s.post(removeBGPath, newForm().fileIn("image_file", "a", photo).fileIn("bg_image_file", "b", photo)),
			"base64":    s.post(removeBGPath, newForm().field("image_file_b64", b64), "Accept", "application/json"),
			"JSON":      s.do("POST", removeBGPath, strings.NewReader(`{"image_file_b64":"`+b64+`"}`)),
			"address":   s.do("POST", removeBGPath, strings.NewReader("image_url="+elsewhere.URL)),
			"rembg":     s.post(rembgPath, newForm().fileIn("file", "a", photo)),
			"rembg GET": s.get(rembgPath + "?url=" + elsewhere.URL),
		} {
			if r.status != 200 {
				t.Fatalf("%s: %d %.300s", name, r.status, r.body)
			}
		}
		for _, r := range []reply{
			s.post(removeBGPath, newForm().fileIn("image_file", "a", photo).field("size", "huge")),
			s.do("POST", removeBGPath, strings.NewReader(`{"size":"huge","image_file_b64":"`+b64+`"}`)),
			s.post(rembgPath, newForm().fileIn("file", "a", photo).field("af", "x")),
		} {
			if r.status != 400 && r.status != 422 {
				t.Fatalf("%d %.300s", r.status, r.body)
			}
		}
	}
	s.seen(9 * rounds) // each is recorded once it has given everything back
	if released != 6*rounds {
		t.Errorf("%d of %d results were released", released, 6*rounds)
	}
}

// Where keys are configured they are checked; a program's own limit shows.
func TestRemoveBGKeys(t *testing.T) {
	key := ratelimit.APIKey{Name: "friend", SHA256: sha256Of("k3y"), Rate: ratelimit.Rate{Count: 3, Period: time.Hour}}
	s := start(t, placing(nil), limited(ratelimit.Rules{Device: ratelimit.Rate{Count: 4, Period: time.Hour}, Keys: []ratelimit.APIKey{key}}))
	ask := func(header ...string) reply {
		return s.post(removeBGPath, newForm().fileIn("image_file", "a", "photo"), header...)
	}
	wrong := ask("X-Api-Key", "wrong")
	wrong.refuses(t, 403, "auth_failed")
	if got := wrong.removeBGErrors(t); got.Title != "API Key invalid" {
		t.Error(got)
	}
	s.get("/v1.0/account", "X-Api-Key", "wrong").refuses(t, 403, "auth_failed")
	good := ask("X-Api-Key", "k3y")
	good.expect(t, 200)
	if good.header.Get("X-Ratelimit-Limit") != "3" || good.header.Get("X-Ratelimit-Remaining") != "2" {
		t.Error(good.header)
	}
	ask().expect(t, 200) // a visitor
	account := s.get("/v1.0/account", "X-Api-Key", "k3y")
	account.expect(t, 200, `"free_calls":2`, `"total":2`, `"sizes":"all"`)
	ask("Authorization", "Bearer k3y").expect(t, 200)
	ask("X-Api-Key", "k3y").expect(t, 200)
	spent := ask("X-Api-Key", "k3y")
	spent.refuses(t, 429, "rate_limit_exceeded")
	if retry, err := strconv.Atoi(spent.header.Get("Retry-After")); err != nil || retry < 1 || spent.header.Get("X-Ratelimit-Remaining") != "0" {
		t.Error(spent.header)
	}
	open := start(t, placing(nil), limited(ratelimit.Rules{}))
	open.get("/v1.0/account", "X-Api-Key", "anything").expect(t, 200, `"free_calls":1000000`)
}

// Photos and backgrounds by address, where the operator allows them.
func TestRemoveBGAddresses(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/photo.jpg":
			_, _ = io.WriteString(w, "photo")
		case "/large":
			_, _ = w.Write(make([]byte, defaultSettings().MaxUpload+1))
		default:
			http.NotFound(w, r)
		}
	}))
	defer elsewhere.Close()
	fetcher := fetch.New(fetch.Options{Hosts: []string{strings.TrimPrefix(elsewhere.URL, "http://")}, Permit: func(a netip.Addr) bool { return a.IsLoopback() }})
	var jobs []cutout.Job
	s := start(t, placing(&jobs), func(o *Options) { o.Fetcher = fetcher })
	ask := func(fields string) reply {
		return s.do("POST", removeBGPath, strings.NewReader(fields), "Content-Type", "application/x-www-form-urlencoded")
	}
	ask("image_url="+elsewhere.URL+"/photo.jpg").expect(t, 200)
	ask("image_url="+elsewhere.URL+"/photo.jpg&bg_image_url="+elsewhere.URL+"/photo.jpg").expect(t, 200)
	if len(jobs) != 2 || string(jobs[0].Upload) != "photo" || string(jobs[1].Options.Background.Picture) != "photo" {
		t.Errorf("%+v", jobs)
	}
	ask("image_url="+elsewhere.URL+"/missing").refuses(t, 400, "failed_image_download")
	ask("image_url="+elsewhere.URL+"/large").refuses(t, 400, "file_too_large")
	ask("image_url=http://169.254.169.254/latest/").refuses(t, 400, "invalid_image_url")
	ask("image_url="+elsewhere.URL+"/photo.jpg&bg_image_url="+elsewhere.URL+"/missing").refuses(t, 400, "failed_bg_download")
	ask("image_url="+elsewhere.URL+"/photo.jpg&bg_image_url=file:///etc/passwd").refuses(t, 400, "invalid_bg_image_url")
	s.get(rembgPath+"?om=true&url="+url.QueryEscape(elsewhere.URL+"/photo.jpg")).expect(t, 200)
	if j := jobs[len(jobs)-1]; string(j.Upload) != "photo" || j.Options.Output != cutout.Matte {
		t.Errorf("%+v", j)
	}
	if strings.Contains(s.log.String(), "photo.jpg") {
		t.Error("the log names the photo")
	}
}
