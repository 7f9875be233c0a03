package static

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The page's modules that need no page are tested by Node, beside which npm is
// installed.
func TestModules(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("node is missing: install Debian's nodejs, or npm, which brings it")
	}
	dir := t.TempDir()
	for _, folder := range []string{"js", "jstest"} {
		if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(folder)); err != nil {
			t.Fatal(err)
		}
	}
	// Without it, Node would take the files for CommonJS.
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type": "module"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests, err := filepath.Glob(filepath.Join(dir, "jstest", "*.test.js"))
	if err != nil || len(tests) == 0 {
		t.Fatal("no tests", err)
	}
	cmd := exec.CommandContext(t.Context(), node, append([]string{"--test"}, tests...)...)
	cmd.Dir = dir
	engine, err := filepath.Abs(filepath.Join("engine", "engine.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "ENGINE="+engine)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
