package load_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"golang.org/x/image/draw"
)

// BenchmarkMemory prints the most memory that the server's process holds for
// one large photo, above what it holds at rest, by how the photo comes and what
// it becomes.
func BenchmarkMemory(b *testing.B) {
	s := start(b, "limits_device = \"off\"\nmax_pixels = \"51000000\"\n", "backend is ready")
	c := client(b, visitsFrom)
	b.Cleanup(func() { c.CloseIdleConnections() })
	for _, megapixels := range []int{12, 50} {
		photo := enlarged(b, megapixels)
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		if part, err := w.CreateFormFile("image", "photo.jpg"); err != nil {
			b.Fatal(err)
		} else if _, err := part.Write(photo); err != nil {
			b.Fatal(err)
		}
		w.Close()
		for _, request := range []struct{ name, path, kind string }{
			{"png", "/api/v1/cutouts", "image/jpeg"},
			{"webp", "/api/v1/cutouts?format=webp", "image/jpeg"},
			{"form", "/device/cutouts", w.FormDataContentType()},
		} {
			body := photo
			if request.name == "form" {
				body = form.Bytes()
			}
			b.Run(fmt.Sprintf("%dMP/%s", megapixels, request.name), func(b *testing.B) {
				for b.Loop() {
					idle := s.atRest(b)
					answer, err := c.Post(s.Base+request.path, request.kind, bytes.NewReader(body))
					if err != nil {
						b.Fatal(err)
					}
					_, err = io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
					if err != nil || answer.StatusCode != http.StatusOK {
						b.Fatal(answer.Status, err)
					}
					b.ReportMetric(float64(s.status(b, "VmHWM")-idle)/1e6, "MB-above-idle")
				}
			})
		}
	}
}

// enlarged is the photo as a JPEG of so many megapixels.
func enlarged(b *testing.B, megapixels int) []byte {
	small, err := jpeg.Decode(bytes.NewReader(read(b, photoFile)))
	if err != nil {
		b.Fatal(err)
	}
	height := 3000
	if megapixels > 12 {
		height = 6120
	}
	large := image.NewRGBA(image.Rect(0, 0, megapixels*1_000_000/height, height))
	draw.BiLinear.Scale(large, large.Bounds(), small, small.Bounds(), draw.Src, nil)
	var file bytes.Buffer
	if err := jpeg.Encode(&file, large, &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	return file.Bytes()
}

// atRest waits until the server has given the memory of past photos back, as
// far as it does, resets its peak and returns what it holds.
func (s *server) atRest(b *testing.B) int64 {
	held := s.status(b, "VmRSS")
	for {
		<-time.After(11 * time.Second) // it looks every ten
		before := held
		if held = s.status(b, "VmRSS"); before-held < 1<<20 {
			break
		}
	}
	s.ResetPeak(b)
	return held
}

// status reads a figure, in bytes, of proc(5)'s status.
func (s *server) status(b testing.TB, name string) int64 {
	text := string(read(b, fmt.Sprintf("/proc/%d/status", s.Process.Pid)))
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindStringSubmatch(text)
	if found == nil {
		b.Fatalf("no %s in %s", name, text)
	}
	kilobytes, _ := strconv.ParseInt(found[1], 10, 64)
	return kilobytes << 10
}
