package app

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The command line in normal use: a folder as input, cut-outs beside the photos;
// nothing is overwritten unless asked; one bad file fails the run, not the rest.
func TestRemoveCommand(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal("the server cannot be built:", err)
	}
	folder := t.TempDir()
	for name, content := range map[string][]byte{
		"coffee.jpg": photo(t, "coffee.jpg"), "broken.jpg": []byte("no picture"), "notes.txt": []byte("no picture either"),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := environ(t)
	run := func(stdin []byte, args ...string) (stdout []byte, stderr string, status int) {
		t.Helper()
		cmd := exec.Command(path, append([]string{"remove", "--mode", "fast"}, args...)...)
		cmd.Env, cmd.Dir, cmd.Stdin = env, t.TempDir(), bytes.NewReader(stdin)
		var out, complaints bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &complaints
		_ = cmd.Run()
		return out.Bytes(), complaints.String(), cmd.ProcessState.ExitCode()
	}

	_, said, status := run(nil, folder)
	if status != 1 || !strings.Contains(said, "broken.jpg: ") || !strings.Contains(said, "1 of 2 photos failed") {
		t.Errorf("status %d, said: %s", status, said)
	}
	result := filepath.Join(folder, "coffee.cutout.png")
	file, err := os.ReadFile(result)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, alphaOf(t, file), "coffee")

	if _, said, status := run(nil, filepath.Join(folder, "coffee.jpg")); status != 1 || !strings.Contains(said, "--force") {
		t.Errorf("again: status %d, said: %s", status, said)
	}
	if _, said, status := run(nil, "--force", filepath.Join(folder, "coffee.jpg")); status != 0 {
		t.Errorf("with --force: status %d, said: %s", status, said)
	}
	// Of folders, only what is new: with --force, all. JSON has a line for each file.
	again, said, status := run(nil, "--json", folder)
	if status != 1 || strings.Count(string(again), "\n") != 2 || !strings.Contains(string(again), `"status":"skipped"`) || !strings.Contains(string(again), `"code":"unsupported_format"`) {
		t.Errorf("with --json: status %d, %s, said: %s", status, again, said)
	}
	elsewhere := t.TempDir()
	if _, said, status := run(nil, "--jobs", "3", "--to", elsewhere, "--force", folder); status != 1 {
		t.Errorf("elsewhere: status %d, said: %s", status, said)
	}
	if there, err := os.ReadFile(filepath.Join(elsewhere, "coffee.cutout.png")); err != nil || !bytes.Equal(there, file) {
		t.Errorf("elsewhere lies another cut-out of %d bytes, %v", len(there), err)
	}

	piped, said, status := run(photo(t, "coffee.jpg"), "-")
	if status != 0 || !bytes.Equal(piped, file) {
		t.Errorf("through a pipe: status %d, %d bytes instead of %d, said: %s", status, len(piped), len(file), said)
	}
}

// TestRemoveThroughAServer: with its results, no model here, and its refusals.
func TestRemoveThroughAServer(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal("the server cannot be built:", err)
	}
	s := serve(t)
	folder := t.TempDir()
	for name, content := range map[string][]byte{"coffee.jpg": photo(t, "coffee.jpg"), "broken.jpg": []byte("no picture")} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(path, "remove", "--json", "--mode", "fast", "--background", "#ffffff", "--format", "jpeg", "--server", s.URL, folder)
	cmd.Env = []string{"HOME=" + t.TempDir(), "BGREMOVER_DATA_DIR=" + t.TempDir()} // no model
	lines, _ := cmd.Output()
	if text := string(lines); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(text, `"backend":"onnx-cpu"`) || !strings.Contains(text, `"code":"unsupported_format"`) {
		t.Errorf("status %d: %s", cmd.ProcessState.ExitCode(), text)
	}
	if made, err := os.ReadFile(filepath.Join(folder, "coffee.cutout.jpg")); err != nil || http.DetectContentType(made) != "image/jpeg" {
		t.Errorf("%d bytes, %v", len(made), err)
	}
}

// linesOf starts a command, which ends with the test, and reads what it prints.
func linesOf(t *testing.T, cmd *exec.Cmd) *bufio.Scanner {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return bufio.NewScanner(out)
}

// TestRemoveWatchesUntilInterrupted: it works on what comes, ends with status 0, and
// leaves no part of a file.
func TestRemoveWatchesUntilInterrupted(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal("the server cannot be built:", err)
	}
	folder := t.TempDir()
	cmd := exec.Command(path, "remove", "--watch", "--json", "--mode", "fast", folder)
	cmd.Env = environ(t)
	lines := linesOf(t, cmd)
	for _, name := range []string{"a.jpg", "sub/b.jpg"} {
		_ = os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755)
		if err := os.WriteFile(filepath.Join(folder, name), photo(t, "coffee.jpg"), 0o600); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() || !strings.Contains(lines.Text(), name) || !strings.Contains(lines.Text(), `"status":"done"`) {
			t.Fatalf("for %s: %s", name, lines.Text())
		}
	}
	for i := range 5 { // in progress when the interrupt comes
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("c%d.jpg", i)), photo(t, "coffee.jpg"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !lines.Scan() {
		t.Fatal("it ended")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"failed"`) {
			t.Errorf("an interrupt is reported as a failure: %s", lines.Text())
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error("it ended with", err)
	}
	hidden, _ := filepath.Glob(filepath.Join(folder, ".*"))
	results, _ := filepath.Glob(filepath.Join(folder, "*.cutout.png"))
	for _, result := range results {
		file, err := os.ReadFile(result)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, alphaOf(t, file), "coffee")
	}
	if len(hidden) > 0 || len(results) < 2 {
		t.Errorf("left: %v; results: %v", hidden, results)
	}
}

// TestRemoveWatchTellsOfFailures: where a file failed, the status is 1 though only an
// interrupt ends the command.
func TestRemoveWatchTellsOfFailures(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal("the server cannot be built:", err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "a.jpg"), []byte("no photo"), 0o600); err != nil {
		t.Fatal(err)
	}
	nobody := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnsupportedMediaType) }))
	defer nobody.Close()
	cmd := exec.Command(path, "remove", "--watch", "--json", "--server", nobody.URL, folder)
	lines := linesOf(t, cmd)
	if !lines.Scan() || !strings.Contains(lines.Text(), `"status":"failed"`) {
		t.Fatal(lines.Text())
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
}

// TestRemoveCutsOutVideos: with the real model and ffmpeg.
func TestRemoveCutsOutVideos(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal("the server cannot be built:", err)
	}
	folder := t.TempDir()
	still := filepath.Join("testdata", "photos", "coffee.jpg")
	clip := filepath.Join(folder, "clip.mp4")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-loop", "1", "-i", still, "-vf", "scale=320:240", "-t", "0.2", "-pix_fmt", "yuv420p", clip).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s (run: ops/testing/install)", err, out)
	}
	for _, args := range [][]string{{"--video", "vp9"}, {"--background", "#00ff00"}, {"--crop", "5"}} {
		cmd := exec.Command(path, append(append([]string{"remove", "--json"}, args...), clip)...)
		cmd.Env = environ(t, "PATH="+os.Getenv("PATH"))
		out, _ := cmd.Output()
		if done := strings.Contains(string(out), `"status":"done"`) && strings.Contains(string(out), `"frames":5`); done != (args[0] != "--crop") {
			t.Errorf("%v: %s", args, out)
		}
	}
	entries, err := os.ReadDir(folder)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if want := []string{"clip.cutout.mp4", "clip.cutout.webm", "clip.mp4"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("there are %v, %v", names, err)
	}
}
