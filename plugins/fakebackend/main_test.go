package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contracttest"
)

var binary string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "fakebackend")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(folder, "fakebackend")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

func model(t *testing.T) cutout.Model {
	file := filepath.Join(t.TempDir(), "any.onnx")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return cutout.Model{
		Name: "any", Input: "x", Output: "y", Scale: 255, Std: [3]float32{1, 1, 1}, Post: cutout.PostNone,
		Variants: []cutout.Variant{{Size: 64, File: file}, {Size: 128, File: file}},
	}
}

func TestConformance(t *testing.T) {
	for name, tls := range map[string]bool{"tls": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			command := contracttest.Command{Path: binary, TLS: tls, Args: []string{"-delay=5ms"}}
			contracttest.Run(t.Context(), command, model(t), func(r contracttest.Result) {
				t.Logf("%-60s %v", r.Name, r.Took)
				if r.Err != nil {
					t.Errorf("%s: %v", r.Name, r.Err)
				}
			})
		})
	}
}
