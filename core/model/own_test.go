package model

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bgremover.pro/core/cutout"
)

func TestOwnModels(t *testing.T) {
	w := newWorld(t)
	put := func(name, content string) {
		t.Helper()
		if err := writeFile(filepath.Join(w.dir, "models", name), []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	put("mine.onnx", "weights")
	put("mine.toml", "size = 512")
	put("logits.onnx", "weights")
	put("logits.toml", "size = 320\nmean = [0.5, 0.5, 0.5]\npost = \"sigmoid\"\noutput = \"out\"\nlicence = \"CC0\"")
	put("isnet.toml", "size = 512") // the catalogue's name
	put("alone.toml", "size = 512")
	put("typo.toml", "sise = 512")
	put("fetch.toml", "size = 512\nurl = \"https://example.org/x.onnx\"")

	m, err := w.Installed("mine")
	if err != nil {
		t.Fatal(err)
	}
	if m.Scale != 255 || m.Mean != [3]float32{} || m.Std != [3]float32{1, 1, 1} || m.Post != cutout.PostNone ||
		m.Variants[0].Size != 512 || filepath.Base(m.Variants[0].File) != "mine.onnx" {
		t.Errorf("the defaults are %+v", m)
	}
	m, err = w.Installed("logits")
	if err != nil || m.Post != cutout.PostSigmoid || m.Output != "out" || m.Mean[1] != 0.5 {
		t.Errorf("the description gives %+v (%v)", m, err)
	}

	listed, problems := w.List()
	var names []string
	for _, l := range listed {
		if l.Own {
			names = append(names, l.Name)
		}
	}
	if got := strings.Join(names, " "); got != "logits mine" {
		t.Errorf("own models listed: %s", got)
	}
	if len(problems) != 4 {
		t.Errorf("4 descriptions are wrong, reported are %v", problems)
	}
	if _, err := w.Installed("typo"); err == nil || !strings.Contains(err.Error(), "typo.toml") {
		t.Errorf("a wrong description gives %v", err)
	}
	if err := w.Pull(t.Context(), Wanted{Models: []string{"mine"}}, nil); err != nil {
		t.Errorf("pulling one's own model: %v", err)
	}

	// A model whose file grew is another model, and noticed if there is a checksum.
	put("mine.toml", "size = 512\nsha256 = \""+hexSHA256([]byte("weights"))+"\"")
	if _, err := w.Installed("mine"); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "models", "mine.onnx"), []byte("others"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Installed("mine"); cutout.CodeOf(err) != cutout.BackendUnavailable {
		t.Errorf("another file under the same name gives %v", err)
	}
}

// Where no runtime exists, the message says what works there.
func TestNoRuntime(t *testing.T) {
	for platform, says := range map[string]string{
		"linux/riscv64": "no cpu build of ONNX Runtime for linux/riscv64",
		"darwin/arm64":  "Models run on Linux only, and this machine is darwin/arm64. Here photos can be sent to a server",
	} {
		err := noRuntime("cpu", platform)
		if cutout.CodeOf(err) != cutout.BackendUnavailable || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", platform, err)
		}
	}
}
