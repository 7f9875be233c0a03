package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/webp"

	"bgremover.pro/core/config"
	"bgremover.pro/core/cutout"
)

// ownData makes a data folder with links to the installed files, and a model of the
// operator's own.
func ownData(t *testing.T) string {
	t.Helper()
	c, err := config.Load(config.Sources{Environ: environ(t)})
	if err != nil {
		t.Fatal(err)
	}
	own := t.TempDir()
	models := filepath.Join(own, "models")
	steps := []error{os.Mkdir(models, 0o755)}
	link := func(from, to string) {
		steps = append(steps, os.Symlink(filepath.Join(c.Folders.Data, filepath.FromSlash(from)), filepath.Join(own, filepath.FromSlash(to))))
	}
	link("runtime", "runtime")
	link("models/isnet.onnx", "models/isnet.onnx")
	link("models/derived", "models/derived")
	known, err := os.ReadFile(filepath.Join(c.Folders.Data, "installed.json"))
	tiny, missing := os.ReadFile("../model/testdata/tiny.onnx")
	steps = append(steps, err, missing, os.WriteFile(filepath.Join(models, "mine.onnx"), tiny, 0o600), os.WriteFile(filepath.Join(own, "installed.json"), known, 0o600),
		os.WriteFile(filepath.Join(models, "mine.toml"), []byte("size = 1024\noutput = \"output\"\nscale = 1\nmean = [128, 128, 128]\nstd = [256, 256, 256]\n"), 0o600))
	for _, err := range steps {
		if err != nil {
			t.Fatal(err)
		}
	}
	return own
}

// TestWorkshop: on a server with a real backend, a test photo comes back cut out, a
// model that another program has put into the data folder is offered, tried and made
// the default, and the default cannot be removed.
func TestWorkshop(t *testing.T) {
	own := ownData(t)
	hidden := filepath.Join(own, "models", "mine.toml")
	if err := os.Rename(hidden, hidden+".later"); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "BGREMOVER_DATA_DIR="+own, "BGREMOVER_MODE=fast")
	shop, ctx := workshop{s.App}, t.Context()
	listed := func(name string) (found cutout.ModelStatus) {
		for _, m := range shop.Models() {
			if m.Name == name {
				found = m
			}
		}
		return found
	}
	trial, err := shop.Try(ctx, "", "")
	if err != nil {
		t.Fatal(err)
	}
	picture, err := webp.Decode(bytes.NewReader(trial.Picture))
	if err != nil {
		t.Fatal(err)
	}
	clear, solid := 0, 0
	for y := range trial.Height {
		for x := range trial.Width {
			switch _, _, _, alpha := picture.At(x, y).RGBA(); alpha {
			case 0:
				clear++
			case 0xffff:
				solid++
			}
		}
	}
	if least := trial.Width * trial.Height / 8; clear < least || solid < least || trial.Backend != "onnx-cpu" || trial.Model != "isnet" || trial.Subject != cutout.SubjectFound ||
		trial.Inference <= 0 || trial.Total < trial.Inference || trial.Memory < 50<<20 || len(trial.Stages) < 5 {
		trial.Picture = nil
		t.Errorf("%d pixels are clear, %d are solid, %+v", clear, solid, trial)
	}
	if m := listed("isnet"); !m.Default || !m.Installed || !slices.Equal(m.Loaded, []string{"onnx-cpu"}) || m.Licence == "" || m.Bytes < 80<<20 {
		t.Errorf("isnet: %+v", m)
	}
	if _, err := shop.Try(ctx, "", "mine"); cutout.CodeOf(err) != cutout.Invalid {
		t.Errorf("a model that is not there: %v", err)
	}
	if err := os.Rename(hidden+".later", hidden); err != nil {
		t.Fatal(err)
	}
	if err := shop.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	if trial, err := shop.Try(ctx, "onnx-cpu", "mine"); err != nil || trial.Model != "mine" {
		t.Errorf("mine: %v", err)
	}
	if err := shop.Use(ctx, "mine"); err != nil || !listed("mine").Default || !listed("mine").Own || listed("isnet").Default {
		t.Errorf("use mine: %v, %+v", err, listed("mine"))
	}
	if trial, err := shop.Try(ctx, "", ""); err != nil || trial.Model != "mine" {
		t.Errorf("by default: %s, %v", trial.Model, err)
	}
	for name, why := range map[string]string{"mine": "is the default model", "u2net": "is not installed", "nothing": "There is no model"} {
		if err := shop.Remove(ctx, name); cutout.CodeOf(err) != cutout.Invalid || !strings.Contains(err.Error(), why) {
			t.Errorf("remove %s: %v", name, err)
		}
	}
	if err := shop.Use(ctx, "u2net"); err == nil || !listed("mine").Default {
		t.Error("a model that is not installed is the default")
	}
	// What is installed already is not fetched.
	if err := shop.Pull(ctx, "isnet", func(string, int64, int64) { t.Error("something is downloaded") }); err != nil {
		t.Error(err)
	}
}

// TestCheckOfTheBackend stops the conformance suite after a few rules, which its own
// tests run whole.
func TestCheckOfTheBackend(t *testing.T) {
	c, err := config.Load(config.Sources{Environ: environ(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var lines []string
	err = CheckBackend(ctx, c, sharedEngine(t).Store, "onnx-cpu", func(line string) {
		if lines = append(lines, line); len(lines) == 3 {
			stop()
		}
	})
	if err == nil || !strings.HasPrefix(lines[0], "ok     starts and completes the handshake") || !strings.HasPrefix(lines[2], "ok ") {
		t.Errorf("%v %q", err, lines)
	}
	if err := CheckBackend(t.Context(), c, sharedEngine(t).Store, "nothing", func(string) {}); cutout.CodeOf(err) != cutout.Invalid {
		t.Error(err)
	}
}
