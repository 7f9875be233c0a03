package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/rembg"
	"bgremover.pro/core/removebg"
)

func described(t *testing.T) describer {
	t.Helper()
	document, err := description()
	if err != nil {
		t.Fatal(err)
	}
	d := describer{}
	if err := json.Unmarshal(document, &d.root); err != nil {
		t.Fatal(err)
	}
	return d
}

// What is described is what is served, method by method.
func TestDescriptionHasEveryRoute(t *testing.T) {
	d := described(t)
	var want, got []string
	for _, rt := range new(Server).routes() {
		if strings.HasPrefix(rt.path, "/api/") || strings.HasPrefix(rt.path, "/v1.0/") {
			want = append(want, rt.method+" "+rt.path)
		}
	}
	for path, item := range d.object(d.root["paths"]) {
		if !slices.Contains(describedPaths, path) {
			t.Errorf("the page leaves out %s", path)
		}
		for method := range d.object(item) {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("described: %v, served: %v", got, want)
	}
}

// Every parameter is described, and every value that the description names is one.
func TestDescriptionHasEveryParameter(t *testing.T) {
	d := described(t)
	_, err := cutout.ParseOptions(map[string]string{"?": ""}, true)
	_, list, _ := strings.Cut(cutout.MessageOf(err), ": ")
	ours := strings.Split(list, ", ")
	photos := map[string][]string{"CutoutOptions": {"hints"}, "RemoveBGOptions": {"image_file", "bg_image_file"}, "RembgOptions": {"url", "file"}}
	for schema, names := range map[string][]string{"CutoutOptions": ours, "RemoveBGOptions": removebg.Parameters, "RembgOptions": rembg.Parameters} {
		got := append(slices.Collect(maps.Keys(d.properties(schema))), photos[schema]...)
		slices.Sort(got)
		want := slices.Sorted(slices.Values(names))
		if !slices.Equal(got, want) {
			t.Errorf("%s: described %v, read %v", schema, got, want)
		}
	}
	parse := map[string]func(name, value string) error{
		"CutoutOptions": func(name, value string) error {
			_, err := cutout.ParseOptions(map[string]string{name: value}, true)
			return err
		},
		"RemoveBGOptions": func(name, value string) error {
			_, err := removebg.Parse(map[string]string{name: value}, removebg.Files{Image: true})
			return err
		},
		"RembgOptions": func(name, value string) error {
			_, err := rembg.Parse(rembg.Values{Form: map[string]string{name: value}}, true, func(string) bool { return true })
			return err
		},
	}
	for schema, check := range parse {
		for name, v := range d.properties(schema) {
			p := d.object(v)
			values := append(append(p.list("enum"), p.list("examples")...), p["default"])
			for _, value := range values {
				if value == nil {
					continue
				}
				if err := check(name, fmt.Sprint(value)); err != nil {
					t.Errorf("%s=%v: %v", name, value, err)
				}
			}
			if p.text("description") == "" {
				t.Errorf("%s is not explained", name)
			}
		}
	}
}

// Every code and status of our own errors is described.
func TestDescriptionHasEveryError(t *testing.T) {
	d := described(t)
	codes := d.object(d.properties("Problem")["code"]).list("enum")
	answers := d.object(d.object(d.object(d.object(d.root["paths"])["/api/v1/cutouts"])["post"])["responses"])
	for code, p := range problems {
		if !slices.Contains(codes, any(string(code))) {
			t.Errorf("%s is not described", code)
		}
		elsewhere := slices.Contains([]int{404, 405, 499}, p.status) // other addresses, and nobody
		if _, listed := answers[fmt.Sprint(p.status)]; !listed && !elsewhere {
			t.Errorf("%d is not described", p.status)
		}
	}
	if len(codes) != len(problems) {
		t.Errorf("%d codes are described, there are %d", len(codes), len(problems))
	}
	for code, p := range removeBGProblems {
		all := d.object(d.object(d.object(d.object(d.root["paths"])["/v1.0/removebg"])["post"])["responses"])
		if _, listed := all[fmt.Sprint(p.status)]; !listed {
			t.Errorf("%s: %d is not described", code, p.status)
		}
	}
}

// The description can be read by programs and people, and kept by caches.
func TestDescriptionIsServed(t *testing.T) {
	s := start(t, succeed)
	r := s.get("/api/v1/openapi.json")
	if r.status != 200 || !json.Valid([]byte(r.body)) || r.header.Get("Content-Type") != "application/json" || !strings.HasPrefix(r.header.Get("Cache-Control"), "public") || r.header.Get("Etag") == "" {
		t.Errorf("%d %v", r.status, r.header)
	}
	page := s.get("/api")
	page.expect(t, 200, "/api/v1/openapi.json", "POST /api/v1/cutouts", "GET /api/remove", "image_file_b64", "curl -F image=@photo.jpg")
	if !strings.HasPrefix(page.header.Get("Cache-Control"), "public") || strings.Contains(page.body, "<nil>") || strings.Contains(page.body, "https://") {
		t.Error(page.header, "or the page names another site")
	}
	for _, path := range describedPaths {
		if !strings.Contains(page.body, path) {
			t.Errorf("the page leaves out %s", path)
		}
	}
	if r := s.do(http.MethodPost, "/api", nil); r.status != 405 {
		t.Errorf("POST /api: %d", r.status)
	}
}

// An option that nobody has described yet is described by its help.
func TestDescriptionOfNewOptions(t *testing.T) {
	document, err := withOptions(written, append(slices.Clone(cutout.OptionList), cutout.Option{Name: "new", Help: "something new"}))
	if err != nil {
		t.Fatal(err)
	}
	d := describer{}
	if err := json.Unmarshal(document, &d.root); err != nil {
		t.Fatal(err)
	}
	post := d.object(d.object(d.object(d.root["paths"])["/api/v1/cutouts"])["post"])
	last := d.object(post.list("parameters")[len(post.list("parameters"))-1])
	if last.text("name") != "new" || d.object(last["schema"]).text("description") != "something new" {
		t.Errorf("%v", last)
	}
	if _, err := withOptions([]byte("{"), nil); err == nil {
		t.Error("a broken description is accepted")
	}
}
