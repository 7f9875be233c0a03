package app

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// upright are sizes as a person sees the picture, where the file itself could
// be read otherwise.
var upright = map[string]image.Point{
	"exif_landscape_1.jpg": {X: 1800, Y: 1200},
	"exif_landscape_3.jpg": {X: 1800, Y: 1200},
	"exif_landscape_6.jpg": {X: 1800, Y: 1200},
	"exif_landscape_8.jpg": {X: 1800, Y: 1200},
	"exif6.webp":           {X: 128, Y: 128},
	"gainmap_hdr.jpg":      {X: 3840, Y: 2160},
	"one_pixel.png":        {X: 1, Y: 1},
	"1bit_2809x2074.png":   {X: 2809, Y: 2074},
	"photo.bmp":            {X: 640, Y: 426},
	"webp_lossy.webp":      {X: 1024, Y: 772},
}

// Every awkward but valid file comes through the whole server, and every route gives
// the same picture, and refuses the same files, as our own. Whether a picture's colours
// are right is core/decode's to prove.
func TestRoutesAgreeOnOddFiles(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/photos/[fh]o*/*") // formats, hostile
	if len(files) == 0 {
		t.Skip("no ../shared/photos beside the checkout")
	}
	p := start(t, t.TempDir(), "BGREMOVER_MODE=fast", "BGREMOVER_MAX_PIXELS=20000000")
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			ours := ask(t, p.visitors+"/api/v1/cutouts", "application/octet-stream", bytes.NewReader(content))
			if strings.HasSuffix(filepath.Dir(file), "formats") {
				ours.passes(t, name)
			}
			form := func(path, field string, fields ...string) reply {
				var body bytes.Buffer
				w := multipart.NewWriter(&body)
				part, _ := w.CreateFormFile(field, "photo.jpg") // whatever it is
				_, _ = part.Write(content)
				for i := 0; i < len(fields); i += 2 {
					_ = w.WriteField(fields[i], fields[i+1])
				}
				_ = w.Close()
				return ask(t, p.visitors+path, w.FormDataContentType(), &body)
			}
			rembg := form("/api/remove", "file")
			if ours.refused() != rembg.refused() || !ours.refused() && !bytes.Equal(rembg.body, ours.body) {
				t.Errorf("rembg: %s, ours: %s", rembg, ours)
			}
			sameForRemoveBG(t, ours, form("/v1.0/removebg", "image_file", "size", "50MP", "format", "png"))
			if len(content) > 100<<10 {
				return // as text, it takes the same way from here on
			}
			text := `{"size":"50MP","format":"png","image_file_b64":"` + base64.StdEncoding.EncodeToString(content) + `"}`
			sameForRemoveBG(t, ours, ask(t, p.visitors+"/v1.0/removebg", "application/json", strings.NewReader(text)))
		})
	}
}

// passes checks our own answer to a file that is awkward but valid.
func (r reply) passes(t *testing.T, name string) {
	t.Helper()
	if name == "bad_exif_good_pixels.jpg" {
		// Its pixels are not good: its entropy-coded data breaks off in every
		// row, and what lenient decoders show of it is noise.
		if r.StatusCode != http.StatusBadRequest {
			t.Error(r)
		}
		return
	}
	if r.refused() {
		t.Fatal(r)
	}
	if want, listed := upright[name]; r.size() == (image.Point{}) || listed && r.size() != want {
		t.Errorf("%v, want %v", r.size(), want)
	}
}

// sameForRemoveBG compares with our own answer; where ours is an empty picture, that
// API has an error.
func sameForRemoveBG(t *testing.T, ours, theirs reply) {
	t.Helper()
	none := ours.Header.Get("X-Subject") == "none"
	if ours.refused() || none {
		var body struct {
			Errors []struct{ Title, Code string }
		}
		if err := json.Unmarshal(theirs.body, &body); err != nil || len(body.Errors) != 1 || theirs.StatusCode != http.StatusBadRequest || none != (body.Errors[0].Code == "unknown_foreground") {
			t.Errorf("remove.bg: %s, ours: %s", theirs, ours)
		}
		return
	}
	if theirs.refused() || !bytes.Equal(theirs.body, ours.body) {
		t.Errorf("remove.bg: %s, %v; ours %v", theirs, theirs.size(), ours.size())
	}
}

// reply is an answer with its whole body.
type reply struct {
	*http.Response
	body []byte
}

func ask(t *testing.T, address, contentType string, body io.Reader) reply {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, address, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	answer, content := answerTo(t, r)
	return reply{answer, content}
}

func (r reply) refused() bool { return r.StatusCode != http.StatusOK }

// size is zero where the body is no PNG.
func (r reply) size() image.Point {
	c, _ := png.DecodeConfig(bytes.NewReader(r.body))
	return image.Pt(c.Width, c.Height)
}

func (r reply) String() string { return r.Status + " " + string(r.body[:min(200, len(r.body))]) }
