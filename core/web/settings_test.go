package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/httpcache"
	"bgremover.pro/static"
)

func TestSettingsChangeWhileServing(t *testing.T) {
	s := start(t, succeed)
	tag, old := s.server.Tag(), s.get("/")
	same := *defaultSettings()
	s.settings.Store(&same)
	if s.server.Tag() != tag || s.get("/").header.Get("Etag") != old.header.Get("Etag") {
		t.Error("the tag changed though no page did")
	}
	changed := *defaultSettings()
	changed.SiteName, changed.MaxUpload, changed.PublicURL = "Cutter", 10, "https://cut.example"
	changed.Cache.SharedMaxAge, changed.Mode = time.Hour, "fast"
	s.settings.Store(&changed)
	r := s.get("/", "If-None-Match", old.header.Get("Etag"))
	r.expect(t, 200, "<title>Cutter", `value="fast" checked`)
	if s.server.Tag() == tag || r.header.Get("Xkey") != s.server.Tag()+" "+httpcache.PagesTag || !strings.Contains(r.header.Get("Cache-Control"), "s-maxage=3600") {
		t.Errorf("tag %s: %v", s.server.Tag(), r.header)
	}
	if r.header.Get("Strict-Transport-Security") == "" || old.header.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS does not follow the public URL")
	}
	s.do(http.MethodPost, api, strings.NewReader("eleven byte")).expect(t, 413)
	s.do(http.MethodPost, api, strings.NewReader("x"), "Origin", "https://cut.example", "Sec-Fetch-Site", "same-site").expect(t, 200)

	broken := changed
	broken.PublicURL, broken.SiteName = "https://cut.example/with/a/path", "Broken"
	s.settings.Store(&broken)
	s.get("/").expect(t, 200, "<title>Cutter")
	s.get("/").expect(t, 200, "<title>Cutter")
	if n := strings.Count(s.log.String(), "keeping the previous ones"); n != 1 {
		t.Errorf("the log says %d times that settings cannot be shown", n)
	}
}

func TestNewRefusesWhatCannotBeServed(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("made of nothing")
	}
}

func TestPagesSayTheRunningLimits(t *testing.T) {
	s := start(t, succeed)
	s.get("/").expect(t, 200, "1 MB", "50 megapixels")
	s.get("/privacy").expect(t, 200, "30 days")
	s.get("/contact").expect(t, 200, "owner@example.org")
	s.get("/gallery").expect(t, 200, "Gallery")
	s.get("/offline").expect(t, 200)
}

// What the start page loads when it is asked for is a fragment of its own
// address, with the numbers of the settings in force.
func TestHelpIsSharedFragments(t *testing.T) {
	s := start(t, succeed)
	home := s.get("/")
	home.find(t, "details[hx-get]").Each(func(_ int, d *goquerySelection) {
		path, _ := d.Attr("hx-get")
		r := s.get(path, "HX-Request", "true")
		r.expect(t, 200)
		checkClass(t, path, r, httpcache.Page)
		if strings.Contains(r.body, "<html") {
			t.Errorf("%s is a page", path)
		}
	})
	if n := home.find(t, "details[hx-get]").Length(); n != 2 {
		t.Errorf("the start page loads %d fragments", n)
	}
	s.get("/help/tips").expect(t, 200, "1 MB", "50 megapixels")
	s.get("/help/modes").expect(t, 200, "Best")
	s.get("/help/other").expect(t, 404)
}

func TestWellKnown(t *testing.T) {
	s := start(t, succeed)
	s.get("/.well-known/security.txt").expect(t, 200, "Contact: mailto:owner@example.org", "Expires: ")
	s.get("/robots.txt").expect(t, 200, "Disallow: /device/")
	var gpc struct {
		GPC        bool
		LastUpdate string
	}
	r := s.get("/.well-known/gpc.json")
	if err := json.Unmarshal([]byte(r.body), &gpc); err != nil || !gpc.GPC || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%v %+v", err, gpc)
	}
	s.get("/sw.js").expect(t, 200, s.server.Tag(), static.Path("css/tokens.css"))
	if r := s.get("/manifest.webmanifest"); !json.Valid([]byte(r.body)) || r.header.Get("Content-Type") != "application/manifest+json" {
		t.Error(r.header)
	}
	if r := s.get("/favicon.ico"); r.header.Get("Content-Type") != "image/svg+xml" {
		t.Error(r.header)
	}
	silent := *defaultSettings()
	silent.ContactEmail = ""
	s.settings.Store(&silent)
	s.get("/.well-known/security.txt").expect(t, 404)
}

// The address that a phone's share sheet posts to is the form's own.
func TestShareTargetIsAnUpload(t *testing.T) {
	s := start(t, succeed)
	var manifest struct {
		ShareTarget struct {
			Action, Method, Enctype string
			Params                  struct{ Files []struct{ Name string } }
		} `json:"share_target"`
	}
	if err := json.Unmarshal([]byte(s.get("/manifest.webmanifest").body), &manifest); err != nil {
		t.Fatal(err)
	}
	share := manifest.ShareTarget
	if share.Method != http.MethodPost || share.Enctype != "multipart/form-data" || len(share.Params.Files) != 1 || share.Params.Files[0].Name != "image" {
		t.Fatalf("%+v", share)
	}
	r := s.post(share.Action, newForm().file("shared.jpg", "photo"), "Sec-Fetch-Site", "none")
	r.expect(t, 200, dataURI("image/png"))
}

func TestHealth(t *testing.T) {
	var why atomic.Pointer[cutout.Error]
	s := start(t, succeed, func(o *Options) {
		o.Ready = func() error {
			if e := why.Load(); e != nil {
				return e
			}
			return nil
		}
	})
	s.get("/healthz").expect(t, 200, "ok")
	s.get("/readyz").expect(t, 200, "ready")
	why.Store(&cutout.Error{Code: cutout.BackendUnavailable, Message: "No backend is ready.", Err: errors.New("a path")})
	r := s.get("/readyz")
	r.expect(t, 503, "No backend is ready.")
	if strings.Contains(r.body, "a path") {
		t.Error(r.body)
	}
	why.Store(nil)
	s.server.Drain()
	s.get("/readyz").expect(t, 503, "shutting down")
	s.get("/healthz").expect(t, 200)
	s.get("/").expect(t, 200)
}

// Requests in progress when the server stops are finished.
func TestShutdownLetsUploadsFinish(t *testing.T) {
	running, done := make(chan struct{}), make(chan struct{})
	s := start(t, func(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
		close(running)
		<-done
		return succeed(ctx, job)
	})
	in, out := io.Pipe()
	answered := make(chan reply)
	go func() { answered <- s.do(http.MethodPost, api, in) }()
	_, _ = io.WriteString(out, "photo")
	out.Close()
	<-running
	stopped := make(chan error)
	go func() { stopped <- s.server.Shutdown(t.Context()) }()
	select {
	case err := <-stopped:
		t.Fatalf("stopped with an upload in flight: %v", err)
	case done <- struct{}{}:
	}
	r := <-answered
	r.expect(t, 200, string(picture))
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
