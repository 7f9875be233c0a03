package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"

	"bgremover.pro/core/cutout"
	"bgremover.pro/ops/testing/pagetrace"
)

const photos = "../../../shared/photos/"

// Figures of processing on the device, against the server's on the same photos; it
// takes many minutes (make device). DEVICE_PHOTOS is how many photos of a folder
// are compared, or "all"; DEVICE_PEER has the npm packages of the peer.
func TestOnDeviceFigures(t *testing.T) {
	most := os.Getenv("DEVICE_PHOTOS")
	if most == "" {
		t.Skip("make device runs this")
	}
	s := serve(t)
	s.offered(t)
	b := chromiumFor(t, 2*time.Hour).leaves()
	b.open(s.URL)
	b.choose("device")
	b.figure(t, photos+"plain/bike_12mp.jpg", "first photo, with all that is fetched")
	for range 3 {
		b.figure(t, photos+"plain/bike_12mp.jpg", "12 MP")
		b.figure(t, photos+"plain/boat_1280.jpg", "1 MP")
	}
	wall, processor, err := pagetrace.LongestTask(b.ctx, func() { b.outcome(photos + "plain/bike_12mp.jpg") })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("12 MP: the page's own thread was blocked for %v at most, %v of the processor's time", wall, processor)
	b.memoryFigure(t)
	b.besidePeer(t, os.Getenv("DEVICE_PEER"))
	for _, folder := range []string{"formats", "hostile"} {
		b.agreement(t, s, folder, glob(t, folder))
	}
	for _, folder := range []string{"truth", "wide"} {
		b.agreement(t, s, folder, some(t, folder, most))
	}
}

// process removes a photo's background in fast mode, on the start page as it is, and
// returns the result or what the page says instead.
func (b *browser) process(path string) (file []byte, problem string) {
	b.t.Helper()
	if problem, _ = b.outcome(path); problem != "" {
		return nil, problem
	}
	return b.kept(1), ""
}

// outcome is process without reading the result, which the page's thread would do; it
// returns the seconds from the choice of the photo to its result.
func (b *browser) outcome(path string) (problem string, seconds float64) {
	b.t.Helper()
	b.settle()
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
	return strings.TrimSpace(problem), seconds
}

// settle waits until the gallery has the results of this page, which asks before it is
// left as long as one is missing. Storage may be full, so it does not wait forever.
func (b *browser) settle() {
	b.t.Helper()
	evaluate[bool](b, `(async () => {
		for (let tries = 0; tries < 200; tries++) {
			if (window.dispatchEvent(new Event('beforeunload', { cancelable: true }))) return true;
			await new Promise((next) => setTimeout(next, 50));
		}
		return false;
	})()`)
}

// figure logs how long a photo takes, and the processor's time that it takes of all
// of Chromium's processes, which a busy machine changes less.
func (b *browser) figure(t *testing.T, path, what string) {
	before := b.processorTime(t)
	problem, seconds := b.outcome(path)
	t.Logf("%s: %.1f s, %.1f s of the processor's time %s", what, seconds, b.processorTime(t)-before, problem)
}

func (b *browser) processes(t *testing.T) []*systeminfo.ProcessInfo {
	t.Helper()
	result, err := chromedp.CallBrowser(b.ctx, systeminfo.GetProcessInfo, cdp.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	return result.ProcessInfo
}

func (b *browser) processorTime(t *testing.T) (seconds float64) {
	for _, p := range b.processes(t) {
		seconds += p.CPUTime
	}
	return seconds
}

// memoryFigure logs the memory of the tab's process before, while and after it
// processes a photo of 12 megapixels.
func (b *browser) memoryFigure(t *testing.T) {
	rest := func() { // half a minute later the worker ends, as nothing needs it
		evaluate[bool](b, `new Promise((done) => setTimeout(() => done(true), 35_000))`)
	}
	rest()
	var pids []int64
	for _, p := range b.processes(t) {
		if p.Type == "renderer" {
			pids = append(pids, p.ID)
		}
	}
	before := tabMemory(pids)
	stop, peak := make(chan struct{}), make(chan int64)
	go func() {
		most := int64(0)
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-tick.C:
				most = max(most, tabMemory(pids))
			case <-stop:
				tick.Stop()
				peak <- most
				return
			}
		}
	}()
	b.outcome(photos + "plain/bike_12mp.jpg")
	close(stop)
	most := <-peak
	rest()
	t.Logf("memory of the tab's process: %d MB before, %d MB at most while it works, %d MB afterwards", before, most, tabMemory(pids))
}

// tabMemory is that of the largest of some processes, in MB: what it has for itself, and
// what it shares with the process that draws.
func tabMemory(pids []int64) (most int64) {
	for _, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue // it has ended, or this is no Linux
		}
		var kilobytes int64
		for line := range strings.Lines(string(status)) {
			name, rest, _ := strings.Cut(line, ":")
			if name == "RssAnon" || name == "RssShmem" {
				n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				kilobytes += n
			}
		}
		most = max(most, kilobytes/1024)
	}
	return most
}

// agreement compares what the device and the server make of the photos of a folder: the
// cut-outs, or the sentences where there is none.
func (b *browser) agreement(t *testing.T, s *server, folder string, files []string) {
	var ious, colours []float64
	for _, file := range files {
		got, problem := b.process(file)
		upload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.engine.Pipeline.Remove(t.Context(), cutout.Job{Upload: upload, Options: cutout.Options{Mode: cutout.Fast}})
		if err != nil || problem != "" {
			if err == nil || problem != cutout.MessageOf(err) {
				t.Logf("%s: the device says %q, the server %v", file, problem, err)
			}
			continue
		}
		iou, colour := unlike(t, got, want.File)
		if iou < 0.995 || colour > 1 {
			t.Logf("%s: IoU %.4f, colours %.2f", file, iou, colour)
		}
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

// some returns photos of a folder, so many or "all", without what belongs to them.
func some(t *testing.T, folder, most string) []string {
	files := slices.DeleteFunc(glob(t, folder), func(file string) bool {
		return strings.Contains(filepath.Base(file), ".alpha.") || strings.Contains(filepath.Base(file), ".fg.")
	})
	if most == "all" {
		return files
	}
	n, err := strconv.Atoi(most)
	if err != nil {
		t.Fatal(err)
	}
	return files[:min(n, len(files))]
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
