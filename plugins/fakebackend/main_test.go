package main

import (
	"os"
	"path/filepath"
	"testing"

	"bgremover.pro/core/cutout"
	"bgremover.pro/plugins/contracttest"
	"bgremover.pro/plugins/internal/plugintest"
)

var binary string

func TestMain(m *testing.M) { plugintest.Main(m, &binary) }

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
			plugintest.Conform(t, command, model(t))
		})
	}
}
