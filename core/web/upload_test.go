package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"bgremover.pro/core/cutout"
)

const (
	testMemory = 4 << 20
	testUpload = 1 << 10
	maxPhotos  = 10 // as in defaultSettings
)

// take reads body as a form under small limits.
func take(body io.Reader, boundary string) (*submission, *intake, error) {
	w, r := &deadlines{}, httptest.NewRequest(http.MethodPost, formPath, body)
	in := &intake{
		body:      newBody(w, r, maxPhotos*testUpload+slack, DefaultPace),
		lease:     &lease{pool: newPool(testMemory), owner: "one"},
		maxUpload: testUpload, maxPhotos: maxPhotos,
		admit: func() error { return nil },
	}
	sub, err := in.form(boundary)
	return sub, in, err
}

// holds is what every submission keeps to, whatever came.
func holds(t interface {
	Helper()
	Fatalf(string, ...any)
}, sub *submission, in *intake, err error) {
	t.Helper()
	if in.lease.held > testMemory || in.body.total > in.body.limit+64<<10 {
		t.Fatalf("%d bytes held, %d read", in.lease.held, in.body.total)
	}
	if code := cutout.CodeOf(err); err != nil {
		if problems[code].status == 0 || code == cutout.Internal {
			t.Fatalf("an error without a clear answer: %v", err)
		}
		sub = &submission{}
	}
	if len(sub.photos) > maxPhotos || len(sub.fields) > maxParts {
		t.Fatalf("%d photos, %d fields", len(sub.photos), len(sub.fields))
	}
	for _, p := range sub.photos {
		if len(p.data) > testUpload || (len(p.data) == 0) != (p.err != nil) {
			t.Fatalf("a photo of %d bytes, error %v", len(p.data), p.err)
		}
	}
	in.lease.release()
	if in.lease.pool.held != 0 || len(in.lease.pool.owners) != 0 {
		t.Fatalf("memory is not given back: %+v", in.lease.pool)
	}
}

func FuzzForm(f *testing.F) {
	good := newForm().field("mode", "fast").fileIn("background", "c.jpg", "behind").file("a.jpg", "photo").file("b.jpg", strings.Repeat("x", testUpload+1))
	_ = good.writer.Close()
	text := strings.ReplaceAll(good.buffer.String(), good.writer.Boundary(), "x")
	f.Add([]byte(text))
	f.Add([]byte("--x\r\nContent-Disposition: form-data; name=image\r\n\r\n"))
	f.Add([]byte("--x\r\n" + strings.Repeat("A: b\r\n", 9000) + "\r\n"))
	f.Add([]byte("--x--"))
	f.Add([]byte(text[:len(text)-9]))
	f.Fuzz(func(t *testing.T, body []byte) {
		sub, in, err := take(bytes.NewReader(body), "x")
		holds(t, sub, in, err)
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
				form.file(rapid.StringMatching(`[a-z"\\ü. ]{0,20}`).Draw(t, "name"), content)
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
		sub, in, err := take(body, form.writer.Boundary())
		if err != nil {
			t.Fatal(err)
		}
		if len(sub.photos) != len(photos) || len(sub.fields) != len(fields) {
			t.Fatalf("%d photos of %d, fields %v of %v", len(sub.photos), len(photos), sub.fields, fields)
		}
		for i, p := range sub.photos {
			if string(p.data) != photos[i] {
				t.Fatalf("photo %d: %q, want %q", i, p.data, photos[i])
			}
		}
		for name, value := range fields {
			if sub.fields[name] != value {
				t.Fatalf("%s: %q, want %q", name, sub.fields[name], value)
			}
		}
		holds(t, sub, in, err)
	})
}

func TestBodiesThatFailAreNotForms(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("--x\r\n"), iotest.ErrReader(errors.New("connection reset")))
	_, in, err := take(broken, "x")
	if cutout.CodeOf(err) != cutout.Canceled || !in.body.ended {
		t.Errorf("got %v", err)
	}
}
