package bench_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"bgremover.pro/core/bench"
	"bgremover.pro/core/cutout"
)

// halver keeps the left half of a photo, with raw edges one column too much.
type halver struct{ calls map[cutout.Mode]int }

func (h halver) Remove(_ context.Context, job cutout.Job) (*cutout.Result, error) {
	h.calls[job.Options.Mode]++
	source, _, err := image.Decode(bytes.NewReader(job.Upload))
	if err != nil {
		return nil, cutout.Wrap(cutout.Invalid, err, "This is no photo.")
	}
	cut := image.NewNRGBA(source.Bounds())
	half := cut.Rect.Dx() / 2
	if job.Options.Edges == cutout.Raw {
		half++
	}
	for y := range cut.Rect.Dy() {
		for x := range half {
			c := color.NRGBAModel.Convert(source.At(x, y)).(color.NRGBA)
			cut.SetNRGBA(x, y, c)
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, cut); err != nil {
		return nil, err
	}
	return &cutout.Result{File: file.Bytes(), Width: cut.Rect.Dx(), Height: cut.Rect.Dy(),
		Run:     cutout.Run{Mode: job.Options.Mode, Sizes: []int{512}},
		Timings: []cutout.Timing{{Stage: cutout.Decode, Duration: time.Millisecond}, {Stage: cutout.Infer, Duration: 3 * time.Millisecond}},
	}, nil
}

// narrow serves one client at a time and sends a third one away.
type narrow struct {
	halver
	present, at chan struct{}
}

func (n narrow) Remove(ctx context.Context, job cutout.Job) (*cutout.Result, error) {
	select {
	case n.present <- struct{}{}:
		defer func() { <-n.present }()
	default:
		return nil, cutout.Errorf(cutout.Busy, "Too many at once.")
	}
	n.at <- struct{}{}
	defer func() { <-n.at }()
	return n.halver.Remove(ctx, job)
}

type constant time.Duration

func (c constant) Run(context.Context, *cutout.Photo) (time.Duration, error) {
	return time.Duration(c), nil
}

// folder has a photo with its truth, one without, and what is no photo.
func folder(t *testing.T) string {
	dir := t.TempDir()
	photo, truth := image.NewNRGBA(image.Rect(0, 0, 40, 20)), image.NewGray(image.Rect(0, 0, 40, 20))
	for y := range 20 {
		for x := range 40 {
			photo.SetNRGBA(x, y, color.NRGBA{R: uint8(6 * x), G: uint8(12 * y), B: 90, A: 255})
			if x < 20 {
				truth.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	write := func(name string, encode func(*bytes.Buffer) error) {
		var file bytes.Buffer
		if err := encode(&file); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("half_one.jpg", func(w *bytes.Buffer) error { return jpeg.Encode(w, photo, nil) })
	write("half_one.alpha.png", func(w *bytes.Buffer) error { return png.Encode(w, truth) })
	write("plain.png", func(w *bytes.Buffer) error { return png.Encode(w, photo) })
	write("README.md", func(w *bytes.Buffer) error { _, err := w.WriteString("no photo"); return err })
	return dir
}

func measure(t *testing.T, change func(*bench.Options)) *bench.Report {
	t.Helper()
	o := bench.Options{
		Photos: []string{folder(t)}, Rounds: 2, Pipeline: halver{map[cutout.Mode]int{}}, Model: constant(time.Second),
		Modes: []cutout.Mode{cutout.Fast, cutout.Best}, Edges: []cutout.Edges{cutout.Raw, cutout.Refined},
	}
	if change != nil {
		change(&o)
	}
	report, err := bench.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestRun(t *testing.T) {
	line := halver{map[cutout.Mode]int{}}
	report := measure(t, func(o *bench.Options) { o.Pipeline = line })
	if len(report.Photos) != 2 || report.Photos[0].Name != "half_one" || report.Photos[1].Name != "plain" {
		t.Fatalf("photos: %+v", report.Photos)
	}
	// Two photos, two kinds of edges, one round to warm up and two timed ones.
	if line.calls[cutout.Fast] != 12 || line.calls[cutout.Best] != 12 {
		t.Errorf("calls by mode: %v", line.calls)
	}
	for _, v := range report.Variants {
		if v.Requests.N != 4 || v.Failures != 0 || v.OverModel.N != 2 || v.OverModel.Max > 1 {
			t.Errorf("%s: %+v", v.Name, v)
		}
		if len(v.Stages) != 2 || v.Stages[1].Stage != cutout.Infer || v.Stages[1].Time.P50 != 3 {
			t.Errorf("%s: stages %+v", v.Name, v.Stages)
		}
		if len(v.Groups) != 3 || v.Groups[0].Name != "half" || v.Groups[1].Name != "half a" || v.Groups[2].Name != "all" || v.Groups[2].Photos != 1 {
			t.Errorf("%s: quality %+v", v.Name, v.Groups)
		}
	}
	raw, refined := report.Photos[0].Results[0], report.Photos[0].Results[1]
	if refined.Quality.IoU != 1 || refined.Quality.MAD != 0 {
		t.Errorf("refined: %+v", refined.Quality)
	}
	if want := bench.Figure(20. / 21); raw.Quality.IoU != want || raw.Quality.MAD != 25 {
		t.Errorf("raw: %+v", raw.Quality)
	}
	if len(report.Edges) != 6 || report.Edges[0].Edge != 0 {
		t.Errorf("edges: %+v", report.Edges)
	}
	if report.Failed() != 0 {
		t.Errorf("%d failed", report.Failed())
	}
}

func TestClientsAtOnce(t *testing.T) {
	line := narrow{halver{map[cutout.Mode]int{}}, make(chan struct{}, 2), make(chan struct{}, 1)}
	report := measure(t, func(o *bench.Options) {
		o.Pipeline, o.Clients, o.Modes = line, []int{1, 2, 3}, []cutout.Mode{cutout.Fast}
	})
	if len(report.Crowds) != 6 {
		t.Fatalf("crowds: %+v", report.Crowds)
	}
	sent := 2 * 3 * 3 // rounds, requests a client, the most clients
	for i, c := range report.Crowds {
		if want := i%3 + 1; c.Clients != want || c.Requests.N+c.Failures != sent || !c.Rate.Known() || !c.OverFirst.Known() || c.Tail() < 1 {
			t.Errorf("%+v", c)
		}
		if c.Clients < 3 && c.Failures > 0 || (c.Error != "") != (c.Failures > 0) {
			t.Errorf("%d clients: %d failures, %s", c.Clients, c.Failures, c.Error)
		}
		if c.Clients == 1 && c.OverFirst != 1 {
			t.Errorf("the first over itself: %v", c.OverFirst)
		}
	}
	var text, page bytes.Buffer
	if err := errors.Join(report.WriteText(&text), report.WriteHTML(&page)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "fast raw, 3") || !strings.Contains(page.String(), "Clients at once") {
		t.Errorf("the report does not tell of clients:\n%s", text.String())
	}
}

func TestRunTellsWhatFailed(t *testing.T) {
	dir := folder(t)
	if err := os.WriteFile(filepath.Join(dir, "broken.jpg"), []byte("\xff\xd8\xff\xe0"), 0o600); err != nil {
		t.Fatal(err)
	}
	report := measure(t, func(o *bench.Options) { o.Photos = []string{dir} })
	if report.Failed() != 1 || report.Photos[0].Error == "" || len(report.Photos) != 3 {
		t.Errorf("%d failed: %+v", report.Failed(), report.Photos[0])
	}
	var text bytes.Buffer
	if err := report.WriteText(&text); err != nil || !strings.Contains(text.String(), report.Photos[0].Error) {
		t.Errorf("%v: the text does not tell of it:\n%s", err, text.String())
	}
}

func TestEnlarging(t *testing.T) {
	report := measure(t, func(o *bench.Options) { o.Pixels = 80000 })
	if p := report.Photos[0]; p.Width != 400 || p.Height != 200 || p.Results[0].Quality != nil {
		t.Errorf("%+v", p)
	}
}

func TestNothingToMeasure(t *testing.T) {
	for name, change := range map[string]func(*bench.Options){
		"no photo":  func(o *bench.Options) { o.Photos = []string{t.TempDir()} },
		"no folder": func(o *bench.Options) { o.Photos = []string{filepath.Join(t.TempDir(), "none")} },
		"no mode":   func(o *bench.Options) { o.Modes = nil },
		"no client": func(o *bench.Options) { o.Clients = []int{1, 0} },
		"no round":  func(o *bench.Options) { o.Rounds = 0 },
	} {
		o := bench.Options{Photos: []string{folder(t)}, Rounds: 1, Pipeline: halver{map[cutout.Mode]int{}},
			Modes: []cutout.Mode{cutout.Fast}, Edges: []cutout.Edges{cutout.Raw}}
		change(&o)
		if _, err := bench.Run(t.Context(), o); cutout.CodeOf(err) != cutout.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestJSONRoundTrip(t *testing.T) {
	var first, second bytes.Buffer
	if err := measure(t, nil).WriteJSON(&first); err != nil {
		t.Fatal(err)
	}
	text := first.String()
	report, err := bench.ReadJSON(&first)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.WriteJSON(&second); err != nil {
		t.Fatal(err)
	}
	if second.String() != text {
		t.Errorf("written %s\nread and written again %s", text, second.String())
	}
	if len(report.Photos) != 2 || report.Photos[1].Half != "b" || report.Photos[1].Results[0].Quality != nil {
		t.Errorf("read: %+v", report.Photos)
	}
}

var (
	inside  = regexp.MustCompile(`src="(data:image/jpeg;base64,([^"]+))"`)
	outside = regexp.MustCompile(`(?i)(?:https?:)?//[a-z]|<(?:script|link|iframe|object)|@import|url\(`)
)

func TestHTMLIsSelfContained(t *testing.T) {
	var page bytes.Buffer
	if err := measure(t, nil).WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	pictures := inside.FindAllStringSubmatch(text, -1)
	// Before, and after and difference of four variants; what the plain
	// photo's others are compared with has no difference.
	if want := 2*(1+4*2) - 1; len(pictures) != want || strings.Count(text, "<img") != want {
		t.Errorf("%d pictures, want %d", len(pictures), want)
	}
	for _, p := range pictures {
		file, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(p[2], "&#43;", "+"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jpeg.Decode(bytes.NewReader(file)); err != nil {
			t.Error(err)
		}
	}
	rest := inside.ReplaceAllString(text, "")
	if found := outside.FindString(rest); found != "" {
		t.Errorf("the page refers to something outside: %q", found)
	}
	if strings.Contains(rest, "ZgotmplZ") || strings.Contains(rest, "NaN") {
		t.Errorf("the page has a hole:\n%s", rest)
	}
}
