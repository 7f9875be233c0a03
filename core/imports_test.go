// Package core_test guards the shape of the project: who may import whom, and that its
// documents link to what is there.
package core_test

import (
	"go/build"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const module = "bgremover.pro/"

// allowed lists, by package, the project's own packages it may import; a
// trailing slash means everything below, on either side. A package that imports one
// of ours has to be listed.
var allowed = map[string][]string{
	"cmd/bgremover":       {"cmd/internal/cli", "core/", "models", "plugins/contract", "plugins/contracttest"},
	"cmd/bgremover-bench": {"cmd/internal/cli", "core/"},
	"cmd/bgremover-wasm":  {"core/compose", "core/correct", "core/cutout", "core/decode", "core/pipeline", "core/promise"},
	"cmd/internal/cli":    {"core/app", "core/config", "core/cutout"},

	"core/app":      {"core/", "templates", "static", "models", "plugins/contract", "plugins/contracttest"},
	"core/web":      {"core/cutout", "core/connlimit", "core/upload", "core/fetch", "core/removebg", "core/rembg", "core/httpcache", "core/device", "core/ratelimit", "core/accesslog", "templates", "static", "templates/texts"},
	"core/admin":    {"core/cutout", "core/device", "core/ratelimit", "core/accesslog", "templates", "static"},
	"core/pipeline": {"core/cutout", "core/decode", "core/tensor", "core/mask", "core/correct", "core/refine", "core/compose", "core/encode"},
	"core/backend":  {"core/cutout", "plugins/contract"},
	"core/model":    {"core/cutout", "core/atomicfile", "core/model/", "models", "plugins/contract"},

	"core/upload":     {"core/cutout"},
	"core/connlimit":  {},
	"core/httpcache":  {},
	"core/atomicfile": {},
	"core/purge":      {},

	"core/cutout":           {},
	"core/decode":           {"core/cutout", "core/decode/", "core/promise", "core/sandbox", "core/sandbox/clib"},
	"core/decode/internal/": {"core/cutout", "core/decode/internal/"},
	"core/complete":         {"core/cutout"},
	"core/correct":          {"core/cutout", "core/complete", "core/refine"},
	"core/correct/":         {"core/cutout", "core/correct"},
	"core/tensor":           {"core/cutout", "core/resample"},
	"core/mask":             {"core/cutout", "core/resample"},
	"core/refine":           {"core/cutout"},
	"core/compose":          {"core/cutout", "core/resample"},
	"core/encode":           {"core/cutout", "core/sandbox", "core/sandbox/clib"},
	"core/sandbox":          {"core/promise"},
	"core/sandbox/clib":     {"core/sandbox"},
	"core/promise":          {},
	"core/resample":         {},

	"core/bench": {"core/complete", "core/correct", "core/cutout", "core/decode"},

	"core/batch":  {"core/cutout"},
	"core/remote": {"core/cutout"},
	"core/video":  {"core/cutout"},

	"core/device":    {"core/cutout"},
	"core/ratelimit": {"core/cutout"},
	"core/accesslog": {"core/atomicfile", "core/cutout", "core/flood"},
	"core/flood":     {},
	"core/config":    {"core/accesslog", "core/atomicfile", "core/cutout", "core/httpcache", "core/purge", "core/ratelimit"},
	"core/fetch":     {"core/cutout"},
	"core/removebg":  {"core/cutout"},
	"core/rembg":     {"core/cutout"},

	"ops/security/":        {"core/", "ops/security/"},
	"ops/testing/ownmodel": {"core/model"},

	"plugins/":        {"core/cutout", "plugins/"},
	"models":          {},
	"templates":       {"core/cutout", "templates/texts"},
	"static":          {"templates/texts"},
	"templates/texts": {},
}

// only lists what may be imported by few: a package path (or its prefix, with
// a trailing slash) and who may.
var only = map[string][]string{
	"os/exec":                         {"core/backend", "core/model", "core/decode", "core/bench", "core/video", "plugins/contracttest", "plugins/internal/plugintest", "ops/testing/servertest"},
	"github.com/hashicorp/go-plugin":  {"core/backend", "plugins/"},
	"github.com/gin-gonic/gin":        {"core/web", "core/admin"},
	"net/http":                        {"cmd/", "core/app", "core/web", "core/connlimit", "core/upload", "core/httpcache", "core/purge", "core/admin", "core/model", "core/device", "core/fetch", "core/remote", "static"},
	"log/slog":                        {"cmd/", "core/app", "core/web", "core/admin", "core/backend", "core/model", "core/config", "core/accesslog", "core/ratelimit", "core/device", "plugins/"},
	"github.com/yalue/onnxruntime_go": {"plugins/internal/ort"},
	"C":                               {"plugins/internal/ort"},
	// The server does not carry what only measuring needs.
	module + "core/bench": {"cmd/bgremover-bench"},
}

// bare packages import nothing but the standard library and, of ours, what allowed lists.
var bare = []string{"core/cutout", "templates", "static"}

func TestImports(t *testing.T) {
	for dir, imports := range importsByPackage(t) {
		for _, path := range imports {
			if may, listed := only[path]; listed && !under(dir, may) {
				t.Errorf("%s must not import %s", dir, path)
			}
			if own, ok := strings.CutPrefix(path, module); ok {
				switch may, listed := rule(dir); {
				case !listed:
					t.Errorf("%s is not listed in this test", dir)
				case !under(own, may):
					t.Errorf("%s must not import %s", dir, own)
				}
				continue
			}
			if under(dir, bare) && strings.Contains(path, ".") {
				t.Errorf("%s must import the standard library only, not %s", dir, path)
			}
		}
	}
}

// rule finds what a package may import: its own entry, or that of a folder above.
func rule(dir string) ([]string, bool) {
	if may, listed := allowed[dir]; listed {
		return may, true
	}
	for above, may := range allowed {
		if strings.HasSuffix(above, "/") && strings.HasPrefix(dir, above) {
			return may, true
		}
	}
	return nil, false
}

func under(path string, list []string) bool {
	for _, entry := range list {
		if path == entry || strings.HasSuffix(entry, "/") && strings.HasPrefix(path+"/", entry) {
			return true
		}
	}
	return false
}

// importsByPackage reads the imports of every package of the module, tests
// left out, under every build constraint.
func importsByPackage(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	context := build.Default
	context.UseAllFiles = true
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if path != ".." && regexp.MustCompile(`^([._].*|testdata|node_modules|bin|data)$`).MatchString(entry.Name()) {
			return fs.SkipDir
		}
		pkg, err := context.ImportDir(path, 0)
		if _, empty := err.(*build.NoGoError); empty { //nolint:errorlint // ImportDir returns it bare
			return nil
		}
		if pkg == nil {
			return err
		}
		dir, _ := filepath.Rel("..", path)
		found[filepath.ToSlash(dir)] = pkg.Imports
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 5 {
		t.Fatalf("found only %d packages; is the test in the right folder?", len(found))
	}
	return found
}
