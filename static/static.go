// Package static holds the files that pages load: styles, scripts, icons, htmx, and
// the pipeline's module, where that is built. All are served under one folder named by the hash of all of them,
// /static/<hash>/css/site.css, so that each address is immutable and modules
// import each other by plain relative paths.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed css js icons samples vendor wasm
var embedded embed.FS

// Prefix is where the files are served.
const Prefix = "/static/"

// File is one file as served. Compressing it is up to the server, except where that
// takes long.
type File struct {
	// Name is its path in this package, such as "css/base.css".
	Name      string
	MediaType string // with charset, for text
	Content   []byte
	Hash      string // of the content, in hex, for an ETag
	// Encoded is the content in each encoding that it was compressed in beforehand.
	Encoded map[string][]byte
}

var files, version = load()

// Version is the hash of all files, in hex.
func Version() string { return version }

// Path returns the address of a file: "/static/<hash>/css/base.css". It panics
// for a name that is not there, which the templates' parsing would not notice.
func Path(name string) string {
	if _, ok := files[name]; !ok {
		panic("static: no file " + name)
	}
	return Prefix + version + "/" + name
}

// Files returns every file, ordered by name.
func Files() []*File {
	all := make([]*File, 0, len(files))
	for _, f := range files {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *File) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Open returns the file at an address below Prefix. current is false where the
// address carries a hash other than the current one, as on a page of another
// release: the file returned is not the one that the page was made for. Service workers keep
// the files of the last release for such pages.
func Open(address string) (file *File, current, ok bool) {
	rest, under := strings.CutPrefix(address, Prefix)
	hash, name, deep := strings.Cut(rest, "/")
	if !under || !deep || len(hash) != len(version) {
		return nil, false, false
	}
	file, ok = files[name]
	return file, ok && hash == version, ok
}

// MediaTypes by the ending of a name.
var mediaTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".png":  "image/png",
	".jpg":  "image/jpeg",
	".webp": "image/webp",

	".wasm": "application/wasm",
}

// encodings by the ending of a file that was compressed beforehand.
var encodings = map[string]string{".br": "br", ".gz": "gzip"}

func load() (map[string]*File, string) {
	found := map[string]*File{}
	all := sha256.New()
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		ending := path.Ext(name)
		mediaType, served := mediaTypes[ending]
		if encoding := encodings[ending]; encoding != "" {
			// In the order of names it comes after the file itself.
			if of := found[strings.TrimSuffix(name, ending)]; of != nil {
				of.Encoded[encoding], err = embedded.ReadFile(name)
			}
			return err
		}
		if err != nil || entry.IsDir() || !served {
			return err // licences and notes travel in the repository only
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		all.Write([]byte(name))
		all.Write(sum[:])
		found[name] = &File{Name: name, MediaType: mediaType, Content: content, Hash: hex.EncodeToString(sum[:8]), Encoded: map[string][]byte{}}
		return nil
	})
	if err != nil {
		panic(err) // embedded files cannot fail to be read
	}
	return found, hex.EncodeToString(all.Sum(nil)[:6])
}
