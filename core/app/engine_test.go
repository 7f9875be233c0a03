package app

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"

	"bgremover.pro/core/cutout"
)

// A backend that dies during a photo is started again, and the photo still gets its
// cut-out.
func TestBackendKilledUnderAPhoto(t *testing.T) {
	engine := newEngine(t)
	killed := 0
	result, err := engine.Pipeline.Remove(t.Context(), cutout.Job{
		Upload: photo(t, "coffee.jpg"),
		Observe: func(p cutout.Progress) {
			if p.Stage == cutout.Infer {
				killed = engine.Backends.Snapshot()[0].PID
				if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
					t.Error(err)
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	now := engine.Backends.Snapshot()[0]
	if killed == 0 || now.PID == killed || now.Restarts == 0 {
		t.Errorf("process %d was killed; now it is %+v", killed, now)
	}
	compare(t, alphaOf(t, result.File), "coffee")
}

// A visitor who leaves frees what was held, and the next one is served.
func TestVisitorLeavesDuringInference(t *testing.T) {
	engine := sharedEngine(t)
	upload := photo(t, "astronaut.jpg")
	ctx, leave := context.WithCancel(t.Context())
	_, err := engine.Pipeline.Remove(ctx, cutout.Job{
		Upload: upload,
		Observe: func(p cutout.Progress) {
			if p.Stage == cutout.Infer {
				leave()
			}
		},
	})
	if cutout.CodeOf(err) != cutout.Canceled {
		t.Fatalf("got %v, want canceled", err)
	}
	if working, waiting := engine.Queue.Load(); working != 0 || waiting != 0 {
		t.Errorf("%d in progress, %d waiting after the visitor left", working, waiting)
	}
	if _, err := engine.Pipeline.Remove(t.Context(), cutout.Job{Upload: upload}); err != nil {
		t.Error("the next photo:", err)
	}
}

// A photo without a subject gets a result that says so.
func TestNothingToCutOut(t *testing.T) {
	engine := sharedEngine(t)
	file, err := os.ReadFile("testdata/photos/flat.png")
	if err != nil {
		t.Fatal(err)
	}
	result, err := engine.Pipeline.Remove(t.Context(), cutout.Job{Upload: file})
	if err != nil {
		t.Fatal(err)
	}
	if result.Subject == cutout.SubjectFound {
		t.Error("a subject was found in a plain colour")
	}
	for _, a := range alphaOf(t, result.File).Pix {
		if a != 0 {
			t.Fatal("the result is not wholly transparent")
		}
	}
}

// The choices that a request has, on the real model.
func TestOptions(t *testing.T) {
	engine := sharedEngine(t)
	white, err := cutout.ParseBackground("#ffffff")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		options   cutout.Options
		mediaType string
		code      cutout.Code
	}{
		"webp":            {options: cutout.Options{Format: cutout.WebP}, mediaType: "image/webp"},
		"jpeg":            {options: cutout.Options{Format: cutout.JPEG}, mediaType: "image/jpeg"},
		"background":      {options: cutout.Options{Background: white}, mediaType: "image/png"},
		"mask":            {options: cutout.Options{Output: cutout.Matte}, mediaType: "image/png"},
		"raw edges":       {options: cutout.Options{Edges: cutout.Raw}, mediaType: "image/png"},
		"16 bits":         {options: cutout.Options{Depth: 16}, mediaType: "image/png"},
		"named":           {options: cutout.Options{Model: "isnet", Backend: "onnx-cpu"}, mediaType: "image/png"},
		"unknown model":   {options: cutout.Options{Model: "nobody"}, code: cutout.Invalid},
		"unknown backend": {options: cutout.Options{Backend: "nobody"}, code: cutout.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			test.options.Mode = cutout.Fast
			result, err := engine.Pipeline.Remove(t.Context(), cutout.Job{Upload: photo(t, "coffee.jpg"), Options: test.options})
			if cutout.CodeOf(err) != test.code {
				t.Fatalf("got %v, want code %q", err, test.code)
			}
			if err == nil && (result.MediaType != test.mediaType || result.Width != 600 || result.Height != 400) {
				t.Errorf("got %s, %dx%d", result.MediaType, result.Width, result.Height)
			}
		})
	}
}

// max_side bounds the photo and the picture behind it alike.
func TestMaxSide(t *testing.T) {
	engine := newEngine(t, "BGREMOVER_MAX_SIDE=511")
	behind := &cutout.Background{Picture: photo(t, "astronaut.jpg")} // 512 x 512
	for name, job := range map[string]cutout.Job{
		"photo":   {Upload: photo(t, "astronaut.jpg")},
		"picture": {Upload: photo(t, "flat.png"), Options: cutout.Options{Background: behind}},
	} {
		_, err := engine.Pipeline.Remove(t.Context(), job)
		if cutout.CodeOf(err) != cutout.TooManyPixels || !strings.Contains(cutout.MessageOf(err), "at most 511 a side") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
