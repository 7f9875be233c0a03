package remote

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bgremover.pro/core/cutout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func picture(t *testing.T) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// client returns one for a server that answers so.
func client(t *testing.T, answer http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	c, err := New(server.URL+"/", "k3y")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.Patience = time.Minute
	return c
}

func TestPhotosAreSentAsTheAPIWantsThem(t *testing.T) {
	result := picture(t)
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if r.Method != http.MethodPost || r.URL.Path != "/api/v1/cutouts" || r.Header.Get("X-Api-Key") != "k3y" || query.Get("keep") != "1,2;3,4" {
			t.Errorf("%s %s, %v", r.Method, r.URL, r.Header)
		}
		files := map[string]string{}
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
			parts, err := r.MultipartReader()
			if err != nil {
				t.Error(err)
				return
			}
			for part, err := parts.NextPart(); err == nil; part, err = parts.NextPart() {
				content, _ := io.ReadAll(part)
				files[part.FormName()] = string(content)
			}
		} else {
			content, _ := io.ReadAll(r.Body)
			files["raw"] = string(content)
		}
		if query.Has("behind") != (files["background"] == "beach" && files["image"] == "photo") || query.Has("behind") == (files["raw"] == "photo") {
			t.Errorf("it got %v", files)
		}
		for name, value := range map[string]string{"X-Backend": "onnx-cpu", "X-Model": "isnet", "X-Mode": "best; sizes=512,1024", "X-Subject": "unsure", "Content-Type": "image/png"} {
			w.Header().Set(name, value)
		}
		_, _ = w.Write(result)
	})
	for _, p := range []Photo{
		{File: []byte("photo"), Options: map[string]string{"keep": "1,2;3,4"}},
		{File: []byte("photo"), Options: map[string]string{"keep": "1,2;3,4", "behind": "1"}, Files: map[string][]byte{"background": []byte("beach")}},
	} {
		got, err := c.Remove(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.File, result) || got.Width != 3 || got.Height != 2 || got.Subject != cutout.SubjectUnsure ||
			got.Run.Backend != "onnx-cpu" || got.Run.Model != "isnet" || got.Run.Mode != cutout.Best {
			t.Errorf("got %+v", got)
		}
	}
}

// TestABusyServerIsAskedAgainWhenItSaysSo: not before, all photos together.
func TestABusyServerIsAskedAgainWhenItSaysSo(t *testing.T) {
	result := picture(t)
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		var refused atomic.Pointer[time.Time]
		var asked, early atomic.Int32
		c := client(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			now := time.Now()
			if asked.Add(1) == 1 {
				refused.Store(&now)
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(status)
				return
			}
			if at := refused.Load(); at == nil || now.Sub(*at) < time.Second {
				early.Add(1)
			}
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(result)
		})
		var waits atomic.Int32
		c.Waiting = func(time.Duration, error) { waits.Add(1) }
		if _, err := c.Remove(t.Context(), Photo{File: []byte("first")}); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if _, err := c.Remove(t.Context(), Photo{File: []byte("more")}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if asked.Load() != 5 || early.Load() != 0 || waits.Load() != 1 {
			t.Errorf("%d: asked %d times, %d of them too early; %d waits", status, asked.Load(), early.Load(), waits.Load())
		}
	}
}

func TestPatienceIsBounded(t *testing.T) {
	var asked atomic.Int32
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Retry-After", "3600")
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"code":"rate_limited","detail":"The limit has been reached. Try again in an hour."}`))
	})
	for range 3 {
		_, err := c.Remove(t.Context(), Photo{File: []byte("x")})
		if cutout.CodeOf(err) != cutout.RateLimited || !strings.Contains(cutout.MessageOf(err), "in an hour") {
			t.Error(err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times, although it said when", asked.Load())
	}

	always := client(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Retry-After", "0") // for ever
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	asked.Store(0)
	always.Patience = 2500 * time.Millisecond
	if _, err := always.Remove(t.Context(), Photo{File: []byte("x")}); cutout.CodeOf(err) != cutout.Busy || asked.Load() != 3 {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
}

func TestRefusalsKeepTheirCodeAndSentence(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   cutout.Code
		says   string
	}{
		"a problem": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			_, _ = w.Write([]byte(`{"code":"too_many_pixels","detail":"Too many."}`))
		}, cutout.TooManyPixels, "Too many."},
		"a proxy's page": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>", http.StatusRequestEntityTooLarge)
		}, cutout.TooLarge, "413"},
		"an odd status":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotImplemented) }, cutout.Internal, "501"},
		"another website": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>hello")) }, cutout.BackendUnavailable, "not like a BGRemover server"},
		"no picture": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte("hello"))
		}, cutout.BackendUnavailable, "not a picture"},
	} {
		cl := client(t, c.answer)
		cl.Patience = 0
		_, err := cl.Remove(t.Context(), Photo{File: []byte("x")})
		if cutout.CodeOf(err) != c.code || !strings.Contains(cutout.MessageOf(err), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAKeyGoesToTheNamedServerOnly: a redirect is reported, not followed.
func TestAKeyGoesToTheNamedServerOnly(t *testing.T) {
	var reached atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	defer other.Close()
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/elsewhere", http.StatusTemporaryRedirect)
	})
	_, err := c.Remove(t.Context(), Photo{File: []byte("x")})
	if reached.Load() || cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(cutout.MessageOf(err), other.URL) {
		t.Errorf("reached the other: %v; %v", reached.Load(), err)
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	c, err := New(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Remove(t.Context(), Photo{File: []byte("x")})
	if cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(cutout.MessageOf(err), "cannot be reached") {
		t.Error(err)
	}
	for _, address := range []string{"", "example.org", "ftp://example.org", "https://", "https://example.org?x=1"} {
		if _, err := New(address, ""); cutout.CodeOf(err) != cutout.Invalid {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "Mon, 02 Jan 2006 15:04:05 GMT": 0} {
		if got := retryAfter(value); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
	soon := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	if got := retryAfter(soon); got < 59*time.Minute || got > time.Hour {
		t.Errorf("%q: %v", soon, got)
	}
}
