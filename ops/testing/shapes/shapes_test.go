// Package shapes_test tries models whose weights cannot be had where the tests run, by
// graphs of their shapes with random weights (make.py): `make shapes`.
package shapes_test

import (
	"cmp"
	"fmt"
	"image"
	_ "image/jpeg"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/draw"

	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
	"bgremover.pro/core/model"
	"bgremover.pro/ops/testing/ownmodel"
	"bgremover.pro/plugins/contract"
	"bgremover.pro/plugins/contracttest"
)

const (
	root   = "../../.."
	photos = root + "/core/app/testdata/photos"
	// How far a mask may be from torch's: the mean difference, of 255.
	nearExact, nearIntegers = 1.5, 0.03 * 255
)

// result is what a graph took and gave.
type result struct {
	took   time.Duration // of all processors together, which says more than the clock on a busy machine
	memory int           // most of the process, in MB
	off    float64
}

// TestShapes runs each graph as it is and as derived, and compares both masks with
// torch's. SHAPES names the folder, SHAPES_ONLY some of the models, with spaces between them.
func TestShapes(t *testing.T) {
	folder := os.Getenv("SHAPES")
	if folder == "" {
		t.Skip("`make shapes` runs this: it takes gigabytes and many minutes")
	}
	settings, err := config.Load(config.Sources{Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	installed := model.Open(settings.Folders.Data)
	library, err := installed.Runtime()
	if err != nil {
		t.Fatal(err)
	}
	isnet, err := installed.Original(model.Default)
	if err != nil {
		t.Fatal(err)
	}
	reference := run(t, library, isnet, picture(t, "coffee.jpg", 1024), nil)
	t.Logf("%-22s %5.0f MB file, %5d MB, %7.0f ms of processors: the unit of the times below", isnet.Name, size(isnet), reference.memory, ms(reference.took))
	for _, entry := range model.Known().Models {
		file := filepath.Join(folder, entry.Name+".onnx")
		only := strings.Fields(os.Getenv("SHAPES_ONLY"))
		if _, err := os.Stat(file); err != nil || len(only) > 0 && !slices.Contains(only, entry.Name) {
			continue
		}
		t.Run(entry.Name, func(t *testing.T) { try(t, library, entry, file, reference) })
	}
}

func try(t *testing.T, library string, entry model.Entry, file string, reference result) {
	s := store(t, library, entry, file)
	original, err := s.Original(entry.Name)
	if err != nil {
		t.Fatal(err)
	}
	input, mask := expected(t, file, entry.Size)
	plain := run(t, library, original, input, mask)
	t.Logf("%-22s %5.0f MB file, %5d MB, %5.2f of isnet's time; off by %.2f", entry.Name, size(original), plain.memory, plain.took.Seconds()/reference.took.Seconds(), plain.off)
	if plain.off > nearExact {
		t.Errorf("its mask is off by %.2f", plain.off)
	}
	program := filepath.Join(root, "bin/plugins/onnx-derive")
	began := time.Now()
	ranges, err := s.Calibrate(t.Context(), entry.Name, program, []*cutout.Input{picture(t, "astronaut.jpg", entry.Size)})
	if err != nil {
		t.Errorf("calibrate: %v", err)
	} else {
		t.Logf("  calibrated on a photo in %.0f s: %s", time.Since(began).Seconds(), filepath.Base(ranges))
	}
	derived, err := s.Derive(t.Context(), entry.Name, program)
	if err != nil {
		t.Fatal(err)
	}
	if derived.Reason != "" {
		t.Logf("  %s", derived.Reason)
	}
	for _, trial := range derived.Trials {
		t.Logf("  %4d %-5s %8.0f ms, difference %.4f, overlap %.4f %s", trial.Size, trial.Precision, trial.Milliseconds, trial.Difference, trial.Overlap, trial.Rejected)
	}
	faster, err := s.Installed(entry.Name)
	if err != nil {
		t.Fatal(err)
	}
	faster.Variants = slices.DeleteFunc(slices.Clone(faster.Variants), func(v cutout.Variant) bool { return v.Size != entry.Size })[:1]
	quick := run(t, library, faster, input, mask)
	t.Logf("%-22s derived %-5s %5.0f MB file, %5d MB, %.2f of its own time; off by %.2f", entry.Name, cmp.Or(faster.Variants[0].Precision, "as is"),
		size(faster), quick.memory, quick.took.Seconds()/plain.took.Seconds(), quick.off)
	if quick.off > nearIntegers {
		t.Errorf("its mask is off by %.2f", quick.off)
	}
}

// run loads a model into a backend of its own and puts a picture through it, twice, of
// which the faster counts.
func run(t *testing.T, library string, m cutout.Model, input *cutout.Input, want []byte) (r result) {
	t.Helper()
	c := contracttest.Command{Path: filepath.Join(root, "bin/plugins/onnx-cpu"), Env: []string{contract.EnvRuntime + "=" + library}, TLS: true}
	p, err := c.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if _, err := p.Client.Load(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		before := computed(t, p.ID())
		got, _, err := p.Client.Segment(t.Context(), m.Name, input)
		if err != nil {
			t.Fatal(err)
		}
		if took := computed(t, p.ID()) - before; r.took == 0 || took < r.took {
			r.took = took
		}
		var sum float64
		for i, v := range want {
			sum += math.Abs(float64(v) - float64(got.Pix[i]))
		}
		r.off = sum / float64(len(got.Pix))
	}
	r.memory = peak(t, p.ID())
	return r
}

// store is a data folder with that model, described as in the catalogue.
func store(t *testing.T, library string, entry model.Entry, file string) *model.Store {
	t.Helper()
	dir := t.TempDir()
	s := model.Open(dir)
	s.Catalogue.Models = nil // its checksums are those of the published weights
	file, err := filepath.Abs(file)
	for _, err := range []error{err, os.Mkdir(filepath.Join(dir, "models"), 0o755),
		os.Symlink(filepath.Dir(filepath.Dir(library)), filepath.Join(dir, "runtime")),
		os.Link(file, filepath.Join(dir, "models", entry.Name+".onnx")),
		os.WriteFile(filepath.Join(dir, "models", entry.Name+".toml"), ownmodel.Description(entry, entry.Size), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// expected is what make.py wrote beside a graph: the picture that it saw, and torch's mask.
func expected(t *testing.T, file string, size int) (*cutout.Input, []byte) {
	t.Helper()
	base := strings.TrimSuffix(file, ".onnx")
	pixels, err := os.ReadFile(base + ".rgb")
	if err != nil {
		t.Fatal(err)
	}
	mask, err := os.ReadFile(base + ".mask")
	if err != nil || len(pixels) != 3*size*size || len(mask) != size*size {
		t.Fatalf("%d samples, %d of the mask, %v", len(pixels), len(mask), err)
	}
	return &cutout.Input{Width: size, Height: size, Pix: pixels}, mask
}

func picture(t *testing.T, name string, size int) *cutout.Input {
	t.Helper()
	file, err := os.Open(filepath.Join(photos, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	photo, _, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	scaled := image.NewNRGBA(image.Rect(0, 0, size, size))
	draw.BiLinear.Scale(scaled, scaled.Bounds(), photo, photo.Bounds(), draw.Src, nil)
	in := &cutout.Input{Width: size, Height: size}
	for i := 0; i < len(scaled.Pix); i += 4 {
		in.Pix = append(in.Pix, scaled.Pix[i:i+3]...)
	}
	return in
}

var mostMemory = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

func peak(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	found := mostMemory.FindSubmatch(status)
	if err != nil || found == nil {
		t.Fatalf("no memory in %s, %v", status, err)
	}
	kilobytes, _ := strconv.Atoi(string(found[1]))
	return kilobytes / 1000
}

// computed is the time that the threads of a process have run for.
func computed(t *testing.T, pid int) (sum time.Duration) {
	t.Helper()
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, thread := range threads {
		text, _ := os.ReadFile(thread)
		first, _, _ := strings.Cut(string(text), " ")
		nanoseconds, _ := strconv.ParseInt(first, 10, 64)
		sum += time.Duration(nanoseconds)
	}
	if sum == 0 {
		t.Fatalf("process %d has no threads with a time", pid)
	}
	return sum
}

func size(m cutout.Model) float64 {
	info, err := os.Stat(m.Variants[0].File)
	if err != nil {
		return 0
	}
	return float64(info.Size()) / 1e6
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }
