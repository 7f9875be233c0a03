package app

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	_ "golang.org/x/image/webp"
)

// dropIn is a server that clients of other programs call.
func dropIn(t *testing.T) *process {
	return start(t, t.TempDir(), "BGREMOVER_MODE=fast", "BGREMOVER_FETCH_HOSTS=")
}

// client runs a program of testdata/clients with what it needs installed.
func client(t *testing.T, dir string, env []string, command ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
	return string(out)
}

// copied copies a client's files to a folder of the test's, where packages can be
// installed.
func copied(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "clients", name))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The npm packages remove.bg and removebg-wrapper, unchanged but for the address.
func TestNodeClient(t *testing.T) {
	s, dir := dropIn(t), copied(t, "node")
	client(t, dir, nil, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	photo, _ := filepath.Abs("testdata/photos/astronaut.jpg")
	out := client(t, dir, []string{"SERVER=" + s.visitors}, "node", "client.js", photo)
	type result struct {
		Picture []byte `json:"base64img"`
		Credits string `json:"creditsCharged"`
		Type    string `json:"detectedType"`
		Width   string `json:"resultWidth"`
		Errors  []struct{ Title, Code string }
	}
	var all []result
	for line := range strings.Lines(out) {
		var r result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %.300s", err, line)
		}
		all = append(all, r)
	}
	if len(all) != 5 {
		t.Fatal(out)
	}
	for i, want := range []struct {
		kind, format string
		width        int
	}{{"person", "png", 500}, {"other", "jpeg", 0}, {"other", "png", 512}} {
		config, format, err := image.DecodeConfig(bytes.NewReader(all[i].Picture))
		if err != nil || format != want.format || want.width > 0 && config.Width != want.width || strconv.Itoa(config.Width) != all[i].Width || all[i].Type != want.kind || all[i].Credits != "0" {
			t.Errorf("call %d: %s, %+v, %v, %s %s", i, format, config, err, all[i].Type, all[i].Width)
		}
	}
	for i, code := range map[int]string{3: "invalid_image_url", 4: "invalid_file_type"} {
		if e := all[i].Errors; len(e) != 1 || e[0].Code != code || e[0].Title == "" {
			t.Errorf("call %d: %+v", i, e)
		}
	}
	written(t, dir, "output.png", "png", 512)
}

// The Python packages removebg, remove-bg-api and rembgpy, unchanged but for the address.
func TestPythonClient(t *testing.T) {
	s, dir := dropIn(t), copied(t, "python")
	packages := filepath.Join(dir, "packages")
	client(t, dir, nil, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--target", packages, "--requirement", "requirements.txt")
	file := filepath.Join(dir, "photo.jpg")
	if err := os.WriteFile(file, photo(t, "astronaut.jpg"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := client(t, dir, []string{"SERVER=" + s.visitors, "PYTHONPATH=" + packages}, "python3", "client.py", file, dir)
	for _, says := range []string{"400 Client Error", "credits True True", "refused ApiErrorCode400\nrefused ApiErrorCode400"} {
		if !strings.Contains(out, says) {
			t.Errorf("%s: not %q", out, says)
		}
	}
	written(t, dir, "photo.jpg_no_bg.png", "png", 512)
	written(t, dir, "text.png", "jpeg", 500)
	written(t, dir, "account.png", "png", 512)
	written(t, dir, "every.png", "png", 500)
}

// written checks a picture that a client has written.
func written(t *testing.T, dir, name, format string, width int) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if config, got, err := image.DecodeConfig(bytes.NewReader(content)); err != nil || got != format || config.Width != width {
		t.Errorf("%s: %s %+v, %v, want %s %d", name, got, config, err, format, width)
	}
}

// clientCall is one request as another client sends it.
type clientCall struct {
	method, path string
	header       []string
	fields       []string // of a form, name and value
	file         string   // the field that holds the photo
	fileName     string
	body         string
}

func (c clientCall) send(t *testing.T, s *process) (*http.Response, []byte) {
	t.Helper()
	var body bytes.Buffer
	kind := ""
	if c.body != "" {
		body.WriteString(c.body)
	} else if c.method == http.MethodPost {
		w := multipart.NewWriter(&body)
		for i := 0; i < len(c.fields); i += 2 {
			_ = w.WriteField(c.fields[i], c.fields[i+1])
		}
		if c.file != "" {
			part, err := w.CreateFormFile(c.file, c.fileName)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = part.Write(photo(t, "astronaut.jpg"))
		}
		_ = w.Close()
		kind = w.FormDataContentType()
	}
	r, err := http.NewRequest(c.method, s.visitors+c.path, &body)
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i < len(c.header); i += 2 {
		r.Header.Set(c.header[i], c.header[i+1])
	}
	return answerTo(t, r)
}

// answerTo sends a request and returns the whole answer.
func answerTo(t *testing.T, r *http.Request) (*http.Response, []byte) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, content
}

// Requests as the official clients for Ruby, Go, PHP and Node, and those of rembg's
// server, send them, read as they read the answers.
func TestOtherClientsRequests(t *testing.T) {
	s := dropIn(t)
	text := base64.StdEncoding.EncodeToString(photo(t, "astronaut.jpg"))
	type check func(*testing.T, *http.Response, []byte)
	picture := func(format string, width int) check {
		return func(t *testing.T, answer *http.Response, body []byte) {
			config, got, err := image.DecodeConfig(bytes.NewReader(body))
			if err != nil || got != format || config.Width != width || answer.Header.Get("Content-Type") != "image/"+format {
				t.Errorf("%s %d, %v, %v, want %s %d", got, config.Width, err, answer.Header, format, width)
			}
		}
	}
	credits := func(then check) check {
		return func(t *testing.T, answer *http.Response, body []byte) {
			if _, err := strconv.Atoi(answer.Header.Get("X-Credits-Charged")); err != nil {
				t.Errorf("X-Credits-Charged: %v", err)
			}
			then(t, answer, body)
		}
	}
	const key = "X-Api-Key"
	for name, c := range map[string]struct {
		clientCall
		check
	}{
		"Ruby": {clientCall{http.MethodPost, "/v1.0/removebg", []string{key, "x", "User-Agent", "remove-bg-ruby-2.2.1", "Accept", "*/*"},
			[]string{"size", "auto", "format", "png"}, "image_file", "person-in-field.jpg", ""}, credits(picture("png", 512))},
		"Ruby, ZIP": {clientCall{http.MethodPost, "/v1.0/removebg", []string{key, "x"}, []string{"format", "zip"}, "image_file", "a.jpg", ""}, archived(500)},
		"Ruby, account": {clientCall{method: http.MethodGet, path: "/v1.0/account", header: []string{key, "x"}}, func(t *testing.T, _ *http.Response, body []byte) {
			var account struct {
				Data struct {
					Attributes struct {
						Credits map[string]float64
						API     struct {
							Calls int `json:"free_calls"`
							Sizes string
						}
					}
				}
			}
			if a := &account.Data.Attributes; json.Unmarshal(body, &account) != nil || a.Credits["total"] < 1 || len(a.Credits) != 4 || a.API.Calls < 1 || a.API.Sizes != "all" {
				t.Errorf("%s", body)
			}
		}},
		"Go": {clientCall{http.MethodPost, "/v1.0/removebg", []string{key, "x"}, []string{"size", "auto", "format", "zip", "channels", "rgba", "type", "auto"}, "image_file", "a.jpg", ""}, archived(512)},
		"Node": {clientCall{http.MethodPost, "/v1.0/removebg", []string{key, "x"}, []string{"size", "auto", "type", "", "format", "zip", "channels", "", "bg_color", "", "bg_image_url", "", "crop", "", "crop_margin", "",
			"scale", "", "position", "", "roi", "", "add_shadow", "", "semitransparency", "", "image_url", "", "shadow_type", ""}, "image_file", "a.jpg", ""}, archived(512)},
		"PHP, in base64": {clientCall{http.MethodPost, "/v1.0/removebg", []string{key, "x", "Accept", "application/json"}, []string{"size", "regular"}, "image_file", "a.jpg", ""}, func(t *testing.T, answer *http.Response, body []byte) {
			var got struct {
				Data struct {
					Result []byte `json:"result_b64"`
				}
			}
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			answer.Header.Set("Content-Type", "image/png")
			picture("png", 500)(t, answer, got.Data.Result)
		}},
		"PHP, JSON":       {clientCall{http.MethodPost, "/v1.0/removebg", []string{key, "x", "Content-Type", "application/json"}, nil, "", "", `{"image_file_b64":"` + strings.ReplaceAll(text, "/", `\/`) + `","size":"full"}`}, picture("png", 512)},
		"JSON as text":    {clientCall{http.MethodPost, "/v1.0/removebg", []string{key, "x", "Content-Type", "text/plain;charset=UTF-8"}, nil, "", "", `{"image_file_b64":"` + text + `","size":"full","bg_color":"00ff00"}`}, picture("jpeg", 512)},
		"Python, another": {clientCall{http.MethodPost, "/v1.0/removebg", []string{key, "x"}, []string{"size", "regular", "type", "auto", "type_level", "none", "format", "auto", "roi", "0 0 100% 100%", "crop", "false", "scale", "original", "position", "original", "channels", "rgba", "add_shadow", "false", "semitransparency", "true"}, "image_file", "image", ""}, credits(picture("png", 500))},
		"a plug-in":       {clientCall{http.MethodPost, "/v1.0/removebg", []string{key, "x"}, []string{"size", "full", "format", "webp"}, "image_file", "file.gif", ""}, picture("webp", 512)},

		"photobooth, at first": {clientCall{http.MethodPost, "/api/remove?model=u2net&a=true&af=240&ab=10&ae=10&bgc=255,0,0,255", nil, nil, "file", "image.jpg", ""}, picture("png", 512)},
		"photobooth":           {clientCall{http.MethodPost, "/api/remove", nil, []string{"model", "u2net", "a", "true", "af", "240", "ab", "10", "ae", "10"}, "file", "image.jpg", ""}, picture("png", 512)},
		"napari": {clientCall{http.MethodPost, "/api/remove?bgc=&extras=" + url.QueryEscape(`{"sam_prompt":[{"type":"point","data":[200,150],"label":1}]}`), nil, []string{"model", "sam", "om", "true", "ppm", "True"}, "file", "image", ""}, func(t *testing.T, _ *http.Response, body []byte) {
			img, err := png.Decode(bytes.NewReader(body))
			mask, grey := img.(*image.Gray)
			if err != nil || !grey || mask.GrayAt(200, 150).Y != 255 || slices.ContainsFunc(mask.Pix, func(v uint8) bool { return v != 0 && v != 255 }) {
				t.Errorf("%T, %v: not a mask of black and white", img, err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			answer, body := c.send(t, s)
			if answer.StatusCode != http.StatusOK {
				t.Fatalf("%d %s", answer.StatusCode, body)
			}
			c.check(t, answer, body)
		})
	}
}

// archived reads a ZIP as the Go client does, which asserts the type of the alpha.
func archived(width int) func(*testing.T, *http.Response, []byte) {
	return func(t *testing.T, answer *http.Response, body []byte) {
		t.Helper()
		if !strings.Contains(answer.Header.Get("Content-Type"), "application/zip") {
			t.Fatal(answer.Header)
		}
		archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		parts := map[string]image.Image{}
		for _, f := range archive.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if parts[f.Name], _, err = image.Decode(r); err != nil {
				t.Fatal(err)
			}
		}
		colours, alpha := parts["color.jpg"], parts["alpha.png"]
		if len(parts) != 2 || colours == nil || alpha == nil || colours.Bounds() != alpha.Bounds() || colours.Bounds().Dx() != width {
			t.Fatal(fmt.Sprint(len(parts)))
		}
		if middle := alpha.At(width/2, width/2).(color.Gray); middle.Y != 255 {
			t.Errorf("the middle's alpha is %d", middle.Y)
		}
	}
}

// The API's description, as a program finds it, is valid OpenAPI; types generated
// from it compile, and a client that uses them works.
func TestTypedClient(t *testing.T) {
	s, dir := dropIn(t), copied(t, "typed")
	answer, err := http.Get(s.visitors + "/api/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	description, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "api.json"), description, 0o600); err != nil {
		t.Fatal(err)
	}
	client(t, dir, nil, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	for _, step := range []string{"check", "generate", "build"} {
		client(t, dir, nil, "npm", "run", "--silent", step)
	}
	photo, _ := filepath.Abs("testdata/photos/astronaut.jpg")
	out := client(t, dir, []string{"SERVER=" + s.visitors}, "node", "client.js", photo)
	want := []string{
		"cutout image/webp isnet", "problem invalid 400", "removebg PNG true", "account all", "rembg image/png",
		`detail [{"type":"missing","loc":["body","file"],"msg":"Field required","input":null}]`,
	}
	if got := strings.Split(strings.TrimSpace(out), "\n"); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
