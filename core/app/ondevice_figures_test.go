package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
)

const photos = "../../../shared/photos/"

// Figures of processing on the device, against the server's on the same photos; it
// takes many minutes (make device). DEVICE_PHOTOS is how many photos of a folder
// are compared, or "all".
func TestOnDeviceFigures(t *testing.T) {
	most := os.Getenv("DEVICE_PHOTOS")
	if most == "" {
		t.Skip("make device runs this")
	}
	s := serve(t)
	s.offered(t)
	b := chromium(t)
	b.open(s.URL)
	b.choose("device")
	b.watchThread()
	b.figure(t, photos+"plain/bike_12mp.jpg", "first photo, with all that is fetched")
	for range 3 {
		b.figure(t, photos+"plain/bike_12mp.jpg", "12 MP")
		b.figure(t, "testdata/photos/coffee.jpg", "coffee")
	}
	t.Logf("the longest that the page's own thread was blocked: %.0f ms; memory of the page and its workers: %.0f MB",
		evaluate[float64](b, `Math.max(0, ...longTasks)`),
		evaluate[float64](b, `performance.measureUserAgentSpecificMemory().then(({ bytes }) => bytes / 1e6)`))
	for _, folder := range []string{"truth", "wide"} {
		b.agreement(t, s, folder, most)
	}
	for _, folder := range []string{"formats", "hostile"} {
		b.sentences(t, s, folder)
	}
}

// watchThread notes tasks of the page's own thread that take longer than 50 ms.
func (b *browser) watchThread() {
	evaluate[bool](b, `(() => {
		globalThis.longTasks = [];
		new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
		return true;
	})()`)
}

// process removes a photo's background in fast mode, on the start page as it is, and
// returns the result or what the page says instead, and the seconds from the choice of
// the photo to its result.
func (b *browser) process(path string) (file []byte, problem string, seconds float64) {
	b.t.Helper()
	evaluate[bool](b, `(async () => {
		for (const button of document.querySelectorAll('.card .remove')) button.click();
		await caches.delete('gallery');
		localStorage.removeItem('gallery');
		document.querySelector('[name=mode][value=fast]').click();
		globalThis.began = performance.now();
		return true;
	})()`)
	b.pick(path)
	problem = b.await(`document.querySelector('.problem .words > p:not(.name)')?.innerText || document.querySelector('.card[data-state=done]') && ' '`)
	seconds = evaluate[float64](b, `(performance.now() - began) / 1000`)
	if problem != " " {
		return nil, problem, seconds
	}
	return b.kept(1), "", seconds
}

func (b *browser) figure(t *testing.T, path, what string) {
	_, problem, seconds := b.process(path)
	t.Logf("%s: %.1f s %s", what, seconds, problem)
}

// agreement compares the results of a folder.
func (b *browser) agreement(t *testing.T, s *server, folder, most string) {
	var files []string
	for _, file := range glob(t, folder) {
		if !strings.Contains(filepath.Base(file), ".alpha.") && !strings.Contains(filepath.Base(file), ".fg.") {
			files = append(files, file)
		}
	}
	if n := 0; most != "all" {
		if _, err := fmt.Sscan(most, &n); err != nil {
			t.Fatal(err)
		}
		files = files[:min(n, len(files))]
	}
	var ious, colours []float64
	for _, file := range files {
		got, problem, _ := b.process(file)
		upload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.line.Pipeline.Remove(t.Context(), cutout.Job{Upload: upload, Options: cutout.Options{Mode: cutout.Fast}})
		if err != nil || problem != "" {
			t.Errorf("%s: %q, %v", file, problem, err)
			continue
		}
		iou, colour := unlike(t, got, want.File)
		ious, colours = append(ious, iou), append(colours, colour)
	}
	if len(ious) == 0 {
		t.Skip("no ../shared/photos beside the checkout")
	}
	t.Logf("%s: %d photos, IoU with the server %.5f on average and %.4f at least; colours differ by %.3f at most", folder, len(ious), mean(ious), slices.Min(ious), slices.Max(colours))
	if mean(ious) < 0.995 || slices.Max(colours) > 2 {
		t.Errorf("%s: the device and the server differ", folder)
	}
}

// sentences compares what becomes of each file of a folder, in words where it fails.
func (b *browser) sentences(t *testing.T, s *server, folder string) {
	for _, file := range glob(t, folder) {
		_, problem, _ := b.process(file)
		upload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.line.Pipeline.Remove(t.Context(), cutout.Job{Upload: upload, Options: cutout.Options{Mode: cutout.Fast}})
		if words := cutout.MessageOf(err); err == nil && problem != "" || err != nil && !strings.Contains(problem, words) {
			t.Logf("%s: the device says %q, the server %v", file, problem, err)
		}
	}
}

func glob(t *testing.T, folder string) []string {
	files, err := filepath.Glob(photos + folder + "/*")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
