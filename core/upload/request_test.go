package upload

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testMemory = 4 << 20
	testUpload = 1 << 10
	maxPhotos  = 10
)

// conn records the read deadlines of the connection under a body.
type conn struct {
	http.ResponseWriter
	set []time.Time
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.set = append(c.set, t)
	return nil
}

func (*conn) SetWriteDeadline(time.Time) error { return nil }

// removerFunc is a Remover.
type removerFunc func(context.Context, cutout.Job) (*cutout.Result, error)

func (f removerFunc) Remove(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
	return f(ctx, job)
}

// receive reads body as a form under small limits.
func receive(body io.Reader, boundary string) (*Request, error) {
	request := httptest.NewRequest(http.MethodPost, "/", body)
	request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	service := &Service{Memory: NewMemory(testMemory), Pace: DefaultPace, Timeout: time.Minute}
	r := service.New(&conn{}, request)
	r.Owner, r.MaxUpload, r.MaxPhotos, r.Charge = "one", testUpload, maxPhotos, func() error { return nil }
	r.PhotoField, r.FileFields = "image", []string{"background"}
	if err := r.Start(); err != nil {
		return r, err
	}
	return r, r.ReadForm()
}

// holds is what every request keeps to, whatever came.
func holds(t interface {
	Helper()
	Fatalf(string, ...any)
}, r *Request, err error) {
	t.Helper()
	if r.held > testMemory || r.body.total > r.body.limit+64<<10 {
		t.Fatalf("%d bytes held, %d read", r.held, r.body.total)
	}
	if code := cutout.CodeOf(err); err != nil && code == cutout.Internal {
		t.Fatalf("an error without a clear answer: %v", err)
	}
	if len(r.Photos) > maxPhotos || len(r.Fields) > maxParts {
		t.Fatalf("%d photos, %d fields", len(r.Photos), len(r.Fields))
	}
	for _, p := range r.Photos {
		if len(p.Data) > testUpload || (len(p.Data) == 0) != (p.Err != nil) {
			t.Fatalf("a photo of %d bytes, error %v", len(p.Data), p.Err)
		}
	}
	r.Close()
	if m := r.service.Memory; m.held != 0 || len(m.owners) != 0 {
		t.Fatalf("memory is not given back: %+v", m)
	}
}

// testForm is multipart/form-data in the order in which it is built.
type testForm struct {
	buffer bytes.Buffer
	writer *multipart.Writer
}

func newForm() *testForm {
	f := &testForm{}
	f.writer = multipart.NewWriter(&f.buffer)
	return f
}

func (f *testForm) field(name, value string) *testForm {
	_ = f.writer.WriteField(name, value)
	return f
}

func (f *testForm) file(field, name, content string) *testForm {
	w, _ := f.writer.CreateFormFile(field, name)
	_, _ = io.WriteString(w, content)
	return f
}

func (f *testForm) body() io.Reader {
	_ = f.writer.Close()
	return bytes.NewReader(f.buffer.Bytes())
}

func FuzzForm(f *testing.F) {
	good := newForm().field("mode", "fast").file("background", "c.jpg", "behind").file("image", "a.jpg", "photo").file("image", "b.jpg", strings.Repeat("x", testUpload+1))
	_ = good.body()
	text := strings.ReplaceAll(good.buffer.String(), good.writer.Boundary(), "x")
	f.Add([]byte(text))
	f.Add([]byte("--x\r\nContent-Disposition: form-data; name=image\r\n\r\n"))
	f.Add([]byte("--x\r\n" + strings.Repeat("A: b\r\n", 9000) + "\r\n"))
	f.Add([]byte("--x--"))
	f.Add([]byte(text[:len(text)-9]))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := receive(bytes.NewReader(body), "x")
		holds(t, r, err)
	})
}

// Any form that a browser could send is read as it was meant, in whatever
// order its parts come and however the network cuts it.
func TestFormsAreReadAsMeant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form, fields, photos := newForm(), map[string]string{}, []string{}
		for range rapid.IntRange(0, 20).Draw(t, "parts") {
			if rapid.Bool().Draw(t, "photo") && len(photos) < maxPhotos {
				content := rapid.StringN(1, 200, testUpload).Draw(t, "content")
				photos = append(photos, content)
				form.file("image", rapid.StringMatching(`[a-z"\\ü. ]{0,20}`).Draw(t, "name"), content)
				continue
			}
			name := rapid.SampledFrom([]string{"mode", "format", "background", "upload"}).Draw(t, "field")
			fields[name] = rapid.StringN(0, 50, maxField).Draw(t, "value")
			form.field(name, fields[name])
		}
		body := form.body()
		if rapid.Bool().Draw(t, "cut") {
			body = iotest.OneByteReader(body)
		}
		r, err := receive(body, form.writer.Boundary())
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Photos) != len(photos) || len(r.Fields) != len(fields) {
			t.Fatalf("%d photos of %d, fields %v of %v", len(r.Photos), len(photos), r.Fields, fields)
		}
		for i, p := range r.Photos {
			if string(p.Data) != photos[i] {
				t.Fatalf("photo %d: %q, want %q", i, p.Data, photos[i])
			}
		}
		for name, value := range fields {
			if r.Fields[name] != value {
				t.Fatalf("%s: %q, want %q", name, r.Fields[name], value)
			}
		}
		holds(t, r, err)
	})
}

func TestBodiesThatFailAreNotForms(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("--x\r\n"), iotest.ErrReader(errors.New("connection reset")))
	r, err := receive(broken, "x")
	if cutout.CodeOf(err) != cutout.Canceled || !r.body.ended {
		t.Errorf("got %v", err)
	}
}

// The example of the package's documentation: a handler with a form of its own, and a
// photo that comes from one of its fields.
func TestHandlersWithTheirOwnForm(t *testing.T) {
	var job cutout.Job
	released, running := 0, 0
	service := &Service{Memory: NewMemory(testMemory), Pace: DefaultPace, Timeout: time.Minute,
		Remover: removerFunc(func(ctx context.Context, j cutout.Job) (*cutout.Result, error) {
			if running > released {
				t.Error("a photo is begun before the last result is released")
			}
			running++
			job = j
			return &cutout.Result{File: []byte("done"), Release: func() { released++ }}, nil
		})}
	form := newForm().field("size", "full").file("image_file", "a.jpg", "photo").file("bg_image_file", "b.jpg", "behind").file("hints", "c.png", "not asked for")
	request := httptest.NewRequest(http.MethodPost, "/", form.body())
	request.Header.Set("Content-Type", form.writer.FormDataContentType())
	r := service.New(&conn{}, request)
	r.Owner, r.MaxUpload, r.MaxPhotos, r.Charge = "one", testUpload, 1, func() error { return nil }
	r.PhotoField, r.FileFields = "image_file", []string{"bg_image_file"}
	if err := errors.Join(r.Start(), r.Read(), r.Add(strings.NewReader("from elsewhere"))); err != nil {
		t.Fatal(err)
	}
	if r.Fields["size"] != "full" || string(r.Files["bg_image_file"]) != "behind" || r.Files["hints"] != nil {
		t.Errorf("fields %v, files %v", r.Fields, r.Files)
	}
	for i, want := range []string{"photo", "from elsewhere"} {
		result, err := r.Remove(&r.Photos[i], cutout.Options{Format: cutout.WebP}, nil)
		if err != nil || string(result.File) != "done" {
			t.Fatal(result, err)
		}
		if string(job.Upload) != want || job.Owner != "one" || job.Options.Format != cutout.WebP || !job.Hold || r.Photos[i].Data != nil {
			t.Errorf("photo %d: %+v", i, job)
		}
	}
	if err := r.Add(strings.NewReader(strings.Repeat("x", testUpload+1))); cutout.CodeOf(err) != cutout.TooLarge {
		t.Errorf("a photo that is too large: %v", err)
	}
	r.Close()
	if released != 2 || service.Memory.held != 0 {
		t.Errorf("%d results released, %d bytes held", released, service.Memory.held)
	}
}
