package bench

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bgremover.pro/core/correct/correcttest"
	"bgremover.pro/core/cutout"
)

// Of a photo that lacks one of two squares, a click brings it; painting takes as many
// dots as cover it. The report says so, and photos without truth do not count.
func TestRobotClicks(t *testing.T) {
	folder := t.TempDir()
	photo, first := correcttest.Squares(320, 240)
	store := func(name string, img image.Image) {
		var file bytes.Buffer
		if err := png.Encode(&file, img); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	truth := image.NewGray(image.Rect(0, 0, 320, 240))
	copy(truth.Pix, first.Pix)
	for i := range truth.Pix {
		if correcttest.Right(i%320, i/320, 320, 240) {
			truth.Pix[i] = 255
		}
	}
	store("squares.png", picture(photo))
	store("squares.alpha.png", truth)
	store("another.png", truth)
	var lines []string
	report, err := Clicks(t.Context(), ClickOptions{
		Photos: []string{folder}, Most: 6, Progress: func(text string) { lines = append(lines, text) },
		First: func(context.Context, string, []byte) (*cutout.Mask, error) { return first, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Folders) != 1 || report.Folders[0].Photos != 1 || len(lines) != 1 {
		t.Fatalf("%+v, %q", report, lines)
	}
	completion, painting := report.Folders[0].Methods[0], report.Folders[0].Methods[1]
	if completion.To90 != 1 || completion.IoU < 0.95 || completion.Failed != 0 {
		t.Errorf("completion: %+v", completion)
	}
	if painting.To90 != 6 || painting.Failed != 1 || painting.IoU < 0.5 {
		t.Errorf("painting: %+v", painting)
	}
	var text strings.Builder
	if err := report.WriteText(&text); err != nil || !strings.Contains(text.String(), "completion  1.00     1.00") {
		t.Errorf("%v\n%s", err, text.String())
	}
}
