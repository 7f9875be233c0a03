package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain runs the command itself if a test asks for that.
func TestMain(m *testing.M) {
	if os.Getenv("BE_BGREMOVER") != "" {
		main()
	}
	m.Run()
}

func TestBenchIsTheProgramBeside(t *testing.T) {
	folder := t.TempDir()
	copied(t, filepath.Join(folder, "bgremover"))
	bench := func() string {
		cmd := exec.CommandContext(t.Context(), filepath.Join(folder, "bgremover"), "bench", "--compare=imgly,rembg", "a photo.jpg", "--help")
		cmd.Env = append(os.Environ(), "BE_BGREMOVER=1")
		output, _ := cmd.CombinedOutput() // it may fail
		return string(output)
	}
	if got := bench(); !strings.Contains(got, "Cannot start ") || !strings.Contains(got, "bgremover-bench; run make build to build it.") {
		t.Errorf("without it: %q", got)
	}
	script := "#!/bin/sh\nprintf '%s|' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(folder, "bgremover-bench"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := bench(); got != "--compare=imgly,rembg|a photo.jpg|--help|" {
		t.Errorf("it got %q", got)
	}
}

func copied(t *testing.T, to string) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	file, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, from); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
