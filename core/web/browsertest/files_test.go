package browsertest

import (
	"archive/zip"
	"errors"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// at checks one pixel of a saved PNG.
func at(t *testing.T, folder, name string, x, y int, r, g, b, a uint8) {
	t.Helper()
	file, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := color.NRGBAModel.Convert(picture.At(x, y)), (color.NRGBA{r, g, b, a}); got != want {
		t.Errorf("%s: pixel %d,%d is %v, want %v", name, x, y, got, want)
	}
}

// downloads lets the browser save files into a folder. The function returned
// acts, and waits until the file that this saves is there.
func (p *tab) downloads() (folder string, save func(act func())) {
	folder = p.t.TempDir()
	callBrowser(p, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder, EventsEnabled: new(true),
	})
	done := map[string]bool{} // the end of one download is reported more than once
	return folder, func(act func()) {
		p.t.Helper()
		ctx, cancel := p.within()
		defer cancel()
		progress := chromedp.BrowserEvents(ctx, browser.DownloadProgress)
		act()
		for e, err := range progress {
			if err != nil {
				p.t.Fatal(err)
			}
			if e.State == browser.DownloadProgressStateCompleted && !done[e.GUID] {
				done[e.GUID] = true
				return
			}
		}
		p.t.Fatal("nothing was saved")
	}
}

// listZIP lists the names in a ZIP, each checked by its sum, in order.
func listZIP(t *testing.T, path string) []string {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var names []string
	for _, f := range archive.File {
		content, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if err := drain(content); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

// drain reads to the end, where archive/zip compares the sum.
func drain(r io.ReadCloser) error {
	_, err := io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}
