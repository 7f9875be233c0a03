package bench

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
)

func scored(iou, edge, fg, ms Figure) Result {
	return Result{Requests: Spread{P50: ms}, Quality: &Quality{IoU: iou, Edge: edge, Foreground: fg}}
}

func TestContest(t *testing.T) {
	failed := Result{Requests: Spread{P50: unknown}}
	r := Report{
		Peers:    []Program{{Name: "one"}, {Name: "two"}},
		Variants: []Variant{{Name: "fast"}, {Name: "best"}, {Name: "one"}, {Name: "two"}},
		Photos: []PhotoReport{
			{Results: []Result{scored(.9, 50, 5, 100), scored(.95, 40, unknown, 300), scored(.92, 60, 4, 200), scored(.8, 50, 4, 250)}},
			// The same to three digits, and one that failed.
			{Results: []Result{scored(.9001, 70, 9, 100), scored(.5, 80, 9, 300), scored(.8999, 60, 9, 99.6), failed}},
			// No truth.
			{Results: []Result{{Requests: Spread{P50: 5}}, {Requests: Spread{P50: 4}}, {Requests: Spread{P50: 3}}, {Requests: Spread{P50: 2}}}},
			{Error: "It cannot be read."},
		},
	}
	r.contest()
	want := []Contest{
		{"fast", "IoU", 2, 0, []int{1, 0}, 1},
		{"fast", "edge", 2, 0, []int{1, 0}, 1},
		{"fast", "fg", 2, 0, []int{0, 0}, 2},
		{"fast", "ms", 3, 1, []int{0, 1}, 1},
		{"best", "IoU", 2, 1, []int{1, 0}, 0},
		{"best", "edge", 2, 1, []int{1, 0}, 0},
		{"best", "fg", 2, 0, []int{0, 0}, 2},
		{"best", "ms", 3, 0, []int{2, 1}, 0},
	}
	if !slices.EqualFunc(r.Contests, want, func(a, b Contest) bool {
		return slices.Equal(a.Peers, b.Peers) && a.Variant == b.Variant && a.Figure == b.Figure && a.Photos == b.Photos && a.Ahead == b.Ahead && a.Drawn == b.Drawn
	}) {
		t.Errorf("got  %+v\nwant %+v", r.Contests, want)
	}
	marks := func(p PhotoReport) (all []string) {
		for _, result := range p.Results {
			all = append(all, strings.Join(result.Best, " "))
		}
		return all
	}
	for i, want := range [][]string{
		{"ms", "IoU edge", "fg", "fg"},
		{"IoU fg ms", "fg", "IoU edge fg ms", ""},
		{"", "", "", "ms"},
		nil,
	} {
		if got := marks(r.Photos[i]); !slices.Equal(got, want) {
			t.Errorf("photo %d: %q, want %q", i, got, want)
		}
	}
}

func TestHalvesTakeTurnsByName(t *testing.T) {
	var r Report
	// Files are in the order of their names with the ending: "car-shadow.jpg"
	// before "car.jpg".
	for _, name := range []string{"car-shadow", "car", "dog", "apple"} {
		r.Photos = append(r.Photos, PhotoReport{Name: name})
	}
	r.halve()
	got := ""
	for _, p := range r.Photos {
		got += p.Half
	}
	if got != "abba" { // apple a, car b, car-shadow a, dog b
		t.Errorf("got %s", got)
	}
}

// whole keeps all of a photo, and of a narrow one nothing quite.
type whole struct{}

func (whole) Remove(_ context.Context, job cutout.Job) (*cutout.Result, error) {
	picture, err := png.Decode(bytes.NewReader(job.Upload))
	if err != nil {
		return nil, err
	}
	cut := picture.(*image.NRGBA)
	kept := uint8(254) // 255 everywhere would be written without alpha
	if cut.Rect.Dx() < 30 {
		kept = 127
	}
	for i := 3; i < len(cut.Pix); i += 4 {
		cut.Pix[i] = kept
	}
	var file bytes.Buffer
	err = png.Encode(&file, cut)
	return &cutout.Result{File: file.Bytes()}, err
}

// The peers here give a photo back as it is: with the alpha that it has, which
// is the truth.
func TestRunWithPeers(t *testing.T) {
	folder := t.TempDir()
	for name, width := range map[string]int{"wide": 40, "narrow": 20} {
		photo, truth := image.NewNRGBA(image.Rect(0, 0, width, 10)), image.NewGray(image.Rect(0, 0, width, 10))
		for i := range truth.Pix {
			if i%width < width/2 {
				truth.Pix[i] = 255
			}
			photo.SetNRGBA(i%width, i/width, color.NRGBA{R: 200, G: uint8(i), B: 9, A: truth.Pix[i]})
		}
		for ending, picture := range map[string]image.Image{".png": photo, alphaEnding: truth} {
			var file bytes.Buffer
			if err := errors.Join(png.Encode(&file, picture), os.WriteFile(filepath.Join(folder, name+ending), file.Bytes(), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	peers := []*Peer{startPeer(t.Context(), t, "imgly"), startPeer(t.Context(), t, "rembg")}
	report, err := Run(t.Context(), Options{Photos: []string{folder}, Modes: []cutout.Mode{cutout.Auto},
		Edges: []cutout.Edges{cutout.Refined}, Rounds: 1, Pipeline: whole{}, Peers: peers})
	if err != nil {
		t.Fatal(err)
	}
	line, imgly, rembg := report.Variants[0], report.Variants[1], report.Variants[2]
	if line.Empty != 1 || imgly.Empty != 0 || rembg.Empty != 0 {
		t.Errorf("empty: %d, %d, %d", line.Empty, imgly.Empty, rembg.Empty)
	}
	groups := map[string]Group{}
	for _, g := range line.Groups {
		groups[g.Name] = g
	}
	// By name: narrow, wide.
	for name, want := range map[string]Group{
		"half a": {Photos: 1, Empty: 1, Quality: Quality{IoU: 0}},
		"half b": {Photos: 1, Quality: Quality{IoU: .5}},
		"all":    {Photos: 2, Empty: 1, Quality: Quality{IoU: .25}},
	} {
		if got := groups[name]; got.Photos != want.Photos || got.Empty != want.Empty || got.IoU != want.IoU {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if g := rembg.Groups[len(rembg.Groups)-1]; g.IoU != 1 || g.Edge != 0 {
		t.Errorf("rembg: %+v", g)
	}
	if c := report.Contests[0]; c.Figure != "IoU" || c.Photos != 2 || c.Drawn != 2 || c.Ahead != 0 {
		t.Errorf("%+v", c)
	}
	if len(line.PeersOver) != 2 || line.PeersOver[1].N != 2 || len(rembg.PeersOver) != 0 || report.Failed() != 0 {
		t.Errorf("%+v, %+v, failed: %d", line.PeersOver, rembg.PeersOver, report.Failed())
	}
	var text, page bytes.Buffer
	if err := errors.Join(report.WriteText(&text), report.WriteHTML(&page)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"rembg takes: mean", "half b", "auto refined, IoU", "IoU edge"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, &text)
		}
	}
	for _, want := range []string{"rembg is rembg 2.0.86", "<th>drawn", "<b>1.000</b>", `id="photo-1"`, "; empty"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page.String(), "ZgotmplZ") || strings.Contains(page.String(), ">NaN") {
		t.Error("the page has a hole")
	}
}
