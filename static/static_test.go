package static

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"path"
	"regexp"
	"strings"
	"testing"

	"bgremover.pro/templates/texts"
)

func TestEveryFileIsServedUnderItsPath(t *testing.T) {
	for _, want := range Files() {
		got, current, ok := Open(Path(want.Name))
		if !ok || !current || got != want {
			t.Errorf("%s is not served at its own address", want.Name)
		}
	}
}

func TestOpen(t *testing.T) {
	other := strings.Repeat("0", len(Version()))
	for _, c := range []struct {
		address     string
		ok, current bool
	}{
		{Path("css/base.css"), true, true},
		{"/static/" + other + "/css/base.css", true, false},
		{"/static/css/base.css", false, false},
		{"/static/" + Version() + "/static.go", false, false},
		{"/static/" + Version() + "/vendor/htmx/LICENSE", false, false},
		{"/static/" + Version() + "/../static.go", false, false},
		{"/static/", false, false},
		{"/elsewhere/" + Version() + "/css/base.css", false, false},
	} {
		_, current, ok := Open(c.address)
		if ok != c.ok || current != c.current {
			t.Errorf("Open(%q) = current %v, ok %v", c.address, current, ok)
		}
	}
}

func TestPathOfNothingPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic for a file that is not there")
		}
	}()
	Path("css/none.css")
}

// built says whether the module is there, which is not in the repository.
func built() bool { return files["wasm/bgremover.wasm"] != nil }

func TestTheModuleIsCompressed(t *testing.T) {
	if !built() {
		t.Skip("static/wasm is empty: make wasm builds what belongs there")
	}
	module := files["wasm/bgremover.wasm"]
	if module.MediaType != "application/wasm" || !bytes.HasPrefix(module.Content, []byte("\x00asm")) {
		t.Errorf("%s is no module", module.MediaType)
	}
	zipped, err := gzip.NewReader(bytes.NewReader(module.Encoded["gzip"]))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(zipped)
	if err != nil || !bytes.Equal(content, module.Content) {
		t.Errorf("the compressed copy is another module, or %v", err)
	}
	if n := len(module.Encoded["br"]); n == 0 || n > len(module.Content)/3 {
		t.Errorf("brotli makes %d bytes of %d", n, len(module.Content))
	}
	if shell, _, _ := strings.Cut(string(Worker("a")), "const MODULE"); strings.Contains(shell, Path("wasm/bgremover.wasm")) {
		t.Error("every visitor would load the module with the shell")
	}
}

var imported = regexp.MustCompile(`(?:from|import|new URL\() ?'(\.[^']+)'`)

func TestModulesImportWhatIsThere(t *testing.T) {
	for _, f := range Files() {
		if !strings.HasPrefix(f.Name, "js/") {
			continue
		}
		for _, match := range imported.FindAllStringSubmatch(string(f.Content), -1) {
			name := path.Join(path.Dir(f.Name), match[1])
			if strings.HasPrefix(name, "wasm/") && !built() {
				continue
			}
			if files[name] == nil {
				t.Errorf("%s imports %s, which is not there", f.Name, name)
			}
		}
	}
}

func TestNothingLeavesTheSite(t *testing.T) {
	remote := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9-]+\.[a-z]`)
	for _, f := range Files() {
		if strings.HasPrefix(f.Name, "vendor/") || strings.HasPrefix(f.Name, "wasm/") || strings.HasPrefix(f.Name, "samples/") || path.Ext(f.Name) == ".png" {
			continue
		}
		for _, found := range remote.FindAllString(strings.ReplaceAll(string(f.Content), "http://www.w3.org/2000/svg", ""), -1) {
			t.Errorf("%s names another site: %s", f.Name, found)
		}
	}
}

func TestWorkerChangesWithThePages(t *testing.T) {
	a, b := string(Worker("a")), string(Worker("b"))
	if a == b {
		t.Error("new pages leave the worker as it was")
	}
	if !strings.Contains(a, `"`+Path("css/base.css")+`"`) {
		t.Error("the style sheet is not in the shell")
	}
	if strings.Contains(a, workerName) {
		t.Error("the worker's own source is in the shell")
	}
}

func TestManifest(t *testing.T) {
	var manifest struct {
		Name  string
		Icons []struct{ Src string }
	}
	if err := json.Unmarshal(Manifest(`A "name"`, texts.English), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Name != `A "name"` {
		t.Errorf("name %q", manifest.Name)
	}
	for _, icon := range manifest.Icons {
		if _, current, _ := Open(icon.Src); !current {
			t.Errorf("icon %s is not there", icon.Src)
		}
	}
}
