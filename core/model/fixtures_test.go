package model

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func random(size int, seed uint64) []byte {
	out := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(seed)})
	_, _ = r.Read(out)
	return out
}

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// tarball packs files as npm does, under the folder "package".
func tarball(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{Name: "package/" + name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// registry is an npm registry on this machine, which the real npm client is
// pointed at; it counts the tarballs it gives out.
type registry struct {
	mu       sync.Mutex
	packages map[string][]byte // by name@version
	served   map[string]int
}

func newRegistry(t *testing.T, packages map[string][]byte) *registry {
	t.Helper()
	r := &registry{packages: maps.Clone(packages), served: map[string]int{}}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	t.Setenv("npm_config_registry", server.URL)
	t.Setenv("npm_config_cache", t.TempDir())
	t.Setenv("npm_config_fetch_retries", "0")
	return r
}

func (r *registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	packages := maps.Clone(r.packages)
	r.mu.Unlock()
	for id, content := range packages {
		name, version := cutLast(id, "@")
		file := "/-/" + path.Base(name) + "-" + version + ".tgz"
		switch req.URL.Path {
		case "/" + name:
			sum := sha1.Sum(content)
			_ = json.NewEncoder(w).Encode(map[string]any{
				"name": name, "dist-tags": map[string]string{"latest": version},
				"versions": map[string]any{version: map[string]any{
					"name": name, "version": version,
					"dist": map[string]string{
						"tarball":   "http://" + req.Host + "/" + name + file,
						"shasum":    hex.EncodeToString(sum[:]),
						"integrity": "sha256-" + base64.StdEncoding.EncodeToString(sha256Bytes(content)),
					},
				}},
			})
			return
		case "/" + name + file:
			r.mu.Lock()
			r.served[id]++
			r.mu.Unlock()
			_, _ = w.Write(content)
			return
		}
	}
	http.NotFound(w, req)
}

// publish replaces a package.
func (r *registry) publish(id string, content []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.packages[id] = content
}

func (r *registry) count(id string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.served[id]
}

func sha256Bytes(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

const (
	runtimeID = "runtime@1.2.3"
	modelID   = "@some/model@4.5.6"
)

// world is a store whose catalogue has a runtime and a model of a few
// kilobytes, published like the real ones.
type world struct {
	*Store
	library, weights []byte
	packages         map[string][]byte
}

func newWorld(t *testing.T) *world {
	t.Helper()
	library, weights := random(50_000, 1), random(100_000, 2)
	manifest := func(id string) []byte {
		name, version := cutLast(id, "@")
		return fmt.Appendf(nil, `{"name":%q,"version":%q,"scripts":{"install":"exit 1","prepack":"exit 1"}}`, name, version)
	}
	files := map[string][]byte{"package.json": manifest(modelID)}
	var chunks []string
	for start := 0; start < len(weights); start += 30_000 {
		end := min(start+30_000, len(weights))
		name := hexSHA256(weights[start:end])
		files["dist/"+name] = weights[start:end]
		chunks = append(chunks, fmt.Sprintf(`{"hash":%q,"offsets":[%d,%d]}`, name, start, end))
	}
	files["dist/resources.json"] = fmt.Appendf(nil, `{"/models/medium":{"chunks":[%s]}}`, strings.Join(chunks, ","))
	w := &world{
		Store: Open(t.TempDir()), library: library, weights: weights,
		packages: map[string][]byte{
			runtimeID: tarball(t, map[string][]byte{"package.json": manifest(runtimeID), "bin/lib.so": library}),
			modelID:   tarball(t, files),
		},
	}
	r, err := Open("").runtimeEntry("cpu")
	if err != nil {
		t.Fatal(err)
	}
	r.Package = Package{NPM: runtimeID}
	r.Files = []RuntimeFile{{"lib.so", Content{Member: "bin/lib.so", SHA256: hexSHA256(library)}}}
	e, err := Open("").Entry(Default)
	if err != nil {
		t.Fatal(err)
	}
	e.Package = Package{NPM: modelID}
	e.Content = Content{Index: "dist/resources.json", Key: "/models/medium", Bytes: int64(len(weights)), SHA256: hexSHA256(weights)}
	w.Catalogue = Catalogue{Runtimes: []Runtime{r}, Models: []Entry{e}}
	return w
}

func (w *world) pull(t *testing.T, progress Progress) error {
	t.Helper()
	return w.Pull(t.Context(), Wanted{Runtime: "cpu", Models: []string{Default}}, progress)
}

// mustBeWhole fails unless runtime and model are there as published, and
// nothing else is.
func (w *world) mustBeWhole(t *testing.T) {
	t.Helper()
	library, err := w.Runtime()
	if err != nil {
		t.Fatal(err)
	}
	m, err := w.Original(Default)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]byte{library: w.library, m.Variants[0].File: w.weights} {
		got, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not as published (%v)", file, err)
		}
	}
	w.mustHold(t, "installed.json", w.relative(library), "models/isnet.onnx")
}

// mustHold fails unless the data folder holds exactly these files.
func (s *Store) mustHold(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	err := filepath.WalkDir(s.dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.HasSuffix(entry.Name(), ".lock") {
			got = append(got, s.relative(path))
		}
		return err
	})
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("the data folder holds %q, not %q (%v)", got, want, err)
	}
}
