package app

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// Every route gives the same picture, and refuses the same files, as our own.
func TestRoutesAgreeOnOddFiles(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/photos/[fh]o*/*") // formats, hostile
	if len(files) == 0 {
		t.Skip("no ../shared/photos beside the checkout")
	}
	s := serve(t, "BGREMOVER_MODE=fast", "BGREMOVER_MAX_PIXELS=20000000")
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			ours, want := s.post(t, "", content)
			form := func(path, field string, fields ...string) (*http.Response, []byte) {
				var body bytes.Buffer
				w := multipart.NewWriter(&body)
				part, _ := w.CreateFormFile(field, "photo.jpg") // whatever it is
				_, _ = part.Write(content)
				for i := 0; i < len(fields); i += 2 {
					_ = w.WriteField(fields[i], fields[i+1])
				}
				_ = w.Close()
				return s.ask(t, path, w.FormDataContentType(), &body)
			}
			refused := ours.StatusCode != http.StatusOK
			answer, got := form("/api/remove", "file")
			if refused != (answer.StatusCode != http.StatusOK) || !refused && !bytes.Equal(got, want) {
				t.Errorf("rembg: %d %.200s, ours: %d %.200s", answer.StatusCode, got, ours.StatusCode, want)
			}
			none := ours.Header.Get("X-Subject") == "none"
			answer, got = form("/v1.0/removebg", "image_file", "size", "50MP", "format", "png")
			sameForRemoveBG(t, ours, want, answer, got, refused, none)
			if len(content) > 100<<10 {
				return // as text, it takes the same way from here on
			}
			text := `{"size":"50MP","format":"png","image_file_b64":"` + base64.StdEncoding.EncodeToString(content) + `"}`
			answer, got = s.ask(t, "/v1.0/removebg", "application/json", bytes.NewReader([]byte(text)))
			sameForRemoveBG(t, ours, want, answer, got, refused, none)
		})
	}
}

// sameForRemoveBG compares with our own answer; where ours is an empty picture, that
// API has an error.
func sameForRemoveBG(t *testing.T, ours *http.Response, want []byte, answer *http.Response, got []byte, refused, none bool) {
	t.Helper()
	if refused || none {
		var body struct {
			Errors []struct{ Title, Code string }
		}
		if err := json.Unmarshal(got, &body); err != nil || len(body.Errors) != 1 || answer.StatusCode != http.StatusBadRequest || none != (body.Errors[0].Code == "unknown_foreground") {
			t.Errorf("remove.bg: %d %.200s, ours: %d %.200s", answer.StatusCode, got, ours.StatusCode, want)
		}
		return
	}
	if answer.StatusCode != http.StatusOK || !bytes.Equal(got, want) {
		a, _ := png.DecodeConfig(bytes.NewReader(want))
		b, _ := png.DecodeConfig(bytes.NewReader(got))
		t.Errorf("remove.bg: %d, %dx%d; ours %dx%d; %.100q", answer.StatusCode, b.Width, b.Height, a.Width, a.Height, got)
	}
}

// ask posts a body and returns the whole answer.
func (s *server) ask(t *testing.T, path, contentType string, body io.Reader) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	return answerTo(t, r)
}
