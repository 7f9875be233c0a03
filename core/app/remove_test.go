package app

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
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
	piped, said, status := run(photo(t, "coffee.jpg"), "-")
	if status != 0 || !bytes.Equal(piped, file) {
		t.Errorf("through a pipe: status %d, %d bytes instead of %d, said: %s", status, len(piped), len(file), said)
	}
}
