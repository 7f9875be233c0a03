package main

import (
	"bytes"
	"encoding/json"
	"image"
	_ "image/jpeg"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/image/draw"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/internal/ort"
	"bgremover.pro/plugins/internal/plugintest"
)

var binary string

func TestMain(m *testing.M) { plugintest.Main(m, &binary) }

// photo scales a photo to a model's input.
func photo(t *testing.T, name string, size int) *cutout.Input {
	t.Helper()
	file, err := os.Open(filepath.Join("../../core/app/testdata/photos", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoded, _, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	scaled := image.NewNRGBA(image.Rect(0, 0, size, size))
	draw.BiLinear.Scale(scaled, scaled.Bounds(), decoded, decoded.Bounds(), draw.Src, nil)
	in := &cutout.Input{Width: size, Height: size}
	for i := 0; i < len(scaled.Pix); i += 4 {
		in.Pix = append(in.Pix, scaled.Pix[i:i+3]...)
	}
	return in
}

// ask runs the program for one request.
func ask(t *testing.T, request contract.DeriveRequest, pictures ...*cutout.Input) (contract.DeriveAnswer, error) {
	t.Helper()
	line, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = []string{contract.EnvRuntime + "=" + plugintest.Runtime(t)}
	cmd.Stdout, cmd.Stderr = &out, &said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := in.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	for _, p := range pictures {
		if _, err := in.Write(p.Pix); err != nil {
			t.Fatal(err)
		}
	}
	failed := cmd.Wait()
	var answer contract.DeriveAnswer
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		t.Fatalf("no answer: %v, %s", err, said.String())
	}
	return answer, failed
}

// Every graph made from the default model gives the installed model's masks,
// as near as its size and its numbers let it.
func TestDefaultModel(t *testing.T) {
	m := plugintest.ISNet(t)
	text, err := os.ReadFile("../../models/isnet.ranges.json")
	if err != nil {
		t.Fatal(err)
	}
	var measured struct {
		Ranges map[string][2]float32 `json:"ranges"`
	}
	if err := json.Unmarshal(text, &measured); err != nil {
		t.Fatal(err)
	}
	sizes := []int{512, 768, 1024}
	var pictures []*cutout.Input
	for _, size := range sizes {
		pictures = append(pictures, photo(t, "coffee.jpg", size))
	}
	answer, err := ask(t, contract.DeriveRequest{Model: m, Sizes: sizes, Ranges: measured.Ranges, Dir: t.TempDir()}, pictures...)
	if err != nil {
		t.Fatalf("%v: %s", err, answer.Error)
	}
	if len(answer.Trials) != 7 || len(answer.Variants) != 3 {
		t.Fatalf("got %+v", answer)
	}
	for _, trial := range answer.Trials {
		if trial.Rejected != "" {
			t.Errorf("%d %s: %s", trial.Size, trial.Precision, trial.Rejected)
		}
		t.Logf("%4d %s %5.0f ms, difference %.4f, overlap %.4f", trial.Size, trial.Precision, trial.Milliseconds, trial.Difference, trial.Overlap)
	}

	t.Setenv(contract.EnvRuntime, plugintest.Runtime(t))
	backend := ort.New("test", slog.New(slog.DiscardHandler), ort.CPU)
	derived, full := m, m
	full.Name, full.Variants = "full precision", append(fullPrecision(t, m, 512, 768), m.Variants...)
	derived.Variants = answer.Variants
	for _, load := range []cutout.Model{full, derived} {
		if _, err := backend.Load(t.Context(), load); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"astronaut.jpg", "coffee.jpg"} {
		for _, size := range sizes {
			picture := photo(t, name, size)
			difference, overlap := compare(segment(t, backend, derived.Name, picture), segment(t, backend, full.Name, picture))
			t.Logf("%s at %d: difference %.4f, overlap %.4f", name, size, difference, overlap)
			if difference > fewerBits.difference || overlap < fewerBits.overlap {
				t.Errorf("%s at %d differs by %.4f and overlaps by %.4f", name, size, difference, overlap)
			}
		}
	}
}

// fullPrecision writes the model's graph for smaller inputs in float32.
func fullPrecision(t *testing.T, m cutout.Model, sizes ...int) (variants []cutout.Variant) {
	t.Helper()
	task := &task{DeriveRequest: contract.DeriveRequest{Model: m, Dir: t.TempDir()}}
	graph, err := task.float32s()
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range sizes {
		sized, err := graph.Resized(size)
		if err != nil {
			t.Fatal(err)
		}
		content, err := sized.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		v := cutout.Variant{Size: size, Precision: "fp32", File: filepath.Join(task.Dir, strconv.Itoa(size)+".onnx")}
		if err := os.WriteFile(v.File, content, 0o600); err != nil {
			t.Fatal(err)
		}
		variants = append(variants, v)
	}
	return variants
}

// A model that is all in float32 is not tried in float32 once more at its own size.
func TestNothingTwice(t *testing.T) {
	m := cutout.Model{Name: "tiny", Output: "output", Post: cutout.PostNone, Scale: 256,
		Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{1, 1, 1},
		Variants: []cutout.Variant{{Size: 1024, File: "../../core/model/testdata/tiny.onnx"}}}
	for i, precision := range []string{"half", "single"} {
		answer, err := ask(t, contract.DeriveRequest{Model: m, Sizes: []int{1024}, Dir: t.TempDir()}, photo(t, "coffee.jpg", 1024))
		if err != nil || len(answer.Trials) != 2-i {
			t.Errorf("%s: %v, %+v", precision, err, answer)
		}
		m.Variants = fullPrecision(t, m, 1024)
	}
}

func segment(t *testing.T, b *ort.Backend, model string, picture *cutout.Input) *cutout.Mask {
	t.Helper()
	mask, _, err := b.Segment(t.Context(), model, picture)
	if err != nil {
		t.Fatal(err)
	}
	return mask
}

func TestBadRequests(t *testing.T) {
	m := plugintest.ISNet(t)
	missing := m
	missing.Variants = []cutout.Variant{{Size: 64, File: filepath.Join(t.TempDir(), "none.onnx")}}
	for name, c := range map[string]struct {
		request contract.DeriveRequest
		says    string
	}{
		"no model":     {contract.DeriveRequest{}, "must name a model"},
		"no such file": {contract.DeriveRequest{Model: missing, Sizes: []int{64}}, "no such file"},
		"no sizes":     {contract.DeriveRequest{Model: m}, "do not include the model's own"},
		"huge size":    {contract.DeriveRequest{Model: m, Sizes: []int{1 << 20}}, "is not possible"},
		"no pictures":  {contract.DeriveRequest{Model: missing, Calibrate: true}, "no pictures"},
	} {
		t.Run(name, func(t *testing.T) {
			var pictures []*cutout.Input
			if slices.Equal(c.request.Sizes, []int{64}) {
				pictures = append(pictures, photo(t, "coffee.jpg", 64))
			}
			answer, err := ask(t, c.request, pictures...)
			if err == nil || answer.Lasting || !strings.Contains(answer.Error, c.says) {
				t.Errorf("got %+v, %v", answer, err)
			}
		})
	}
}

// The program ends when its starter is gone, which closes its input.
func TestEndsWithItsHost(t *testing.T) {
	m := plugintest.ISNet(t)
	line, err := json.Marshal(contract.DeriveRequest{Model: m, Sizes: []int{1024}, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = []string{contract.EnvRuntime + "=" + plugintest.Runtime(t)}
	cmd.Stdin = io.MultiReader(bytes.NewReader(append(line, '\n')), bytes.NewReader(photo(t, "coffee.jpg", 1024).Pix))
	cmd.Stdout = &out
	if err := cmd.Run(); err == nil || out.Len() > 0 {
		t.Errorf("it went on to the end: %v, %s", err, out.String())
	}
}

func TestCompare(t *testing.T) {
	mask := func(size int, pix ...uint8) *cutout.Mask { return &cutout.Mask{Width: size, Height: size, Pix: pix} }
	for name, c := range map[string]struct {
		a, b                *cutout.Mask
		difference, overlap float64
	}{
		"the same":           {mask(2, 0, 255, 255, 0), mask(2, 0, 255, 255, 0), 0, 1},
		"the opposite":       {mask(2, 0, 255, 255, 0), mask(2, 255, 0, 0, 255), 1, 0},
		"no subject":         {mask(1, 10), mask(1, 61), 0.2, 1},
		"half of it":         {mask(2, 255, 255, 0, 0), mask(2, 255, 0, 0, 0), 0.25, 0.5},
		"of other sizes":     {mask(1, 255), mask(2, 255, 255, 255, 255), 0, 1},
		"a larger unlike it": {mask(2, 255, 0, 0, 0), mask(1, 255), 0.75, 0.25},
	} {
		if d, o := compare(c.a, c.b); d != c.difference || o != c.overlap {
			t.Errorf("%s: difference %g, overlap %g", name, d, o)
		}
	}
}
