// Package model lists the known models and runtimes, fetches and checks them, and
// reports what is installed in a data folder: the catalogue (embedded from
// models/), the Store over the data folder, the ways to fill it (the npm client,
// https, a folder of files copied by hand), the operator's own models, and the
// faster graphs that are derived from an installed one.
package model

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"bgremover.pro/core/cutout"
	"bgremover.pro/models"
)

// Catalogue lists the models and runtimes that BGRemover knows.
type Catalogue struct {
	Runtimes []Runtime `toml:"runtime"`
	Models   []Entry   `toml:"model"`
}

// Package is where files are published: an npm package, a wheel of a Python package, or
// an https address.
type Package struct {
	NPM   string `toml:"npm"`            // name@version
	PIP   string `toml:"pip"`            // name==version
	URL   string `toml:"url"`            // https
	Bytes int64  `toml:"package_bytes"`  // to be downloaded, for the progress bar; 0 if unknown
	Sum   string `toml:"package_sha256"` // of the download, in hex; required for wheels
}

// Content is one file and how it is found in its package.
type Content struct {
	// Member is the file's path in a tar archive or a wheel; for an npm package
	// without its leading folder. Empty: the download is the file itself.
	Member string `toml:"member"`
	// Index is a JSON file in the package that lists, under Key, the members
	// to be joined. It replaces Member.
	Index string `toml:"index"`
	Key   string `toml:"key"`
	// Bytes is the file's size, 0 if unknown. SHA256 and MD5 are in hex; at
	// least one is known before a file is trusted.
	Bytes  int64  `toml:"bytes"`
	SHA256 string `toml:"sha256"`
	MD5    string `toml:"md5"`
}

// Runtime is one build of ONNX Runtime.
type Runtime struct {
	Name     string `toml:"name"`     // "cpu", "cuda" or "cuda12"
	Version  string `toml:"version"`  // such as 1.30.0
	Platform string `toml:"platform"` // GOOS/GOARCH
	Licence  string `toml:"licence"`
	Package
	Files []RuntimeFile `toml:"file"`
	// Parts are other packages whose libraries it needs, in the same folder.
	Parts []Part `toml:"part"`
}

// Part is a package of libraries.
type Part struct {
	Package
	Files []RuntimeFile `toml:"file"`
}

// RuntimeFile is one library of a runtime; the first is the one to load.
type RuntimeFile struct {
	Name string `toml:"name"`
	Content
}

// Entry is one model: what it is, where it comes from and how a picture
// enters and leaves its graph.
type Entry struct {
	Name    string `toml:"name"`
	About   string `toml:"about"`
	Licence string `toml:"licence"` // empty if unknown
	Package
	Content
	// Input and Output are tensor names; empty means the graph's first.
	Input  string `toml:"input"`
	Output string `toml:"output"`
	// Size is the input's width and height in pixels.
	Size      int         `toml:"size"`
	Precision string      `toml:"precision"`
	Scale     float32     `toml:"scale"`
	Mean      []float32   `toml:"mean"` // of R, G and B
	Std       []float32   `toml:"std"`
	Post      cutout.Post `toml:"post"`
	// Own: the operator described this model in the data folder.
	Own bool `toml:"-"`
}

// Default is the model that set-up installs.
const Default = "isnet"

// Known returns the embedded catalogue. It panics if that is broken, which a
// test rules out.
func Known() Catalogue {
	c, err := Parse(models.Catalogue)
	if err != nil {
		panic(err)
	}
	return c
}

// Parse reads a catalogue; an unknown key is an error, as is an entry that
// could not be installed or run.
func Parse(text []byte) (Catalogue, error) {
	var c Catalogue
	if err := decodeStrictly(text, &c); err != nil {
		return Catalogue{}, fmt.Errorf("model catalogue: %w", err)
	}
	seen := map[string]bool{}
	for _, e := range c.Models {
		if err := e.check(); err != nil {
			return Catalogue{}, err
		}
		if seen[e.Name] {
			return Catalogue{}, fmt.Errorf("model %s is listed twice", e.Name)
		}
		seen[e.Name] = true
		if err := e.Package.check(); err != nil {
			return Catalogue{}, fmt.Errorf("model %s: %w", e.Name, err)
		}
	}
	for _, r := range c.Runtimes {
		for _, p := range append([]Part{{r.Package, r.Files}}, r.Parts...) {
			if err := p.check(); err != nil {
				return Catalogue{}, fmt.Errorf("runtime %s %s: %w", r.Name, r.Platform, err)
			}
		}
	}
	return c, nil
}

func decodeStrictly(text []byte, into any) error {
	return toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(into)
}

var (
	nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	sha256Of = regexp.MustCompile(`^[0-9a-f]{64}$`)
	md5Of    = regexp.MustCompile(`^[0-9a-f]{32}$`)
	pipForm  = regexp.MustCompile(`^[a-z0-9-]+==[0-9.]+$`)
	npmForm  = regexp.MustCompile(`^(@[a-z0-9._-]+/)?[a-z0-9._-]+@[0-9]+\.[0-9]+\.[0-9]+[a-z0-9.+-]*$`)
)

func (p Package) check() error {
	given := 0
	for _, source := range []string{p.NPM, p.PIP, p.URL} {
		if source != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return fmt.Errorf("exactly one of npm, pip and url is needed")
	case p.PIP != "" && !pipForm.MatchString(p.PIP):
		return fmt.Errorf("pip is name==version, not %q", p.PIP)
	case (p.PIP != "" || p.Sum != "") && !sha256Of.MatchString(p.Sum):
		return fmt.Errorf("package_sha256 must be 64 lower-case hex digits")
	case p.NPM != "" && !npmForm.MatchString(p.NPM):
		return fmt.Errorf("npm is name@version, not %q", p.NPM)
	case p.URL != "" && !strings.HasPrefix(p.URL, "https://"):
		return fmt.Errorf("url must begin with https://")
	}
	return nil
}

func (p Part) check() error {
	if len(p.Files) == 0 {
		return fmt.Errorf("it has no files")
	}
	for _, file := range p.Files {
		if !sha256Of.MatchString(file.SHA256) || file.Name != path.Base(file.Name) {
			return fmt.Errorf("%s has no sha256, or its name is a path", file.Name)
		}
	}
	return p.Package.check()
}

// archive is the name of the package's download, in the downloads folder and in a
// folder of files copied by hand.
func (p Package) archive() string {
	if p.URL != "" {
		return path.Base(p.URL)
	}
	if p.PIP != "" {
		name, version := cutLast(p.PIP, "==")
		return strings.ReplaceAll(name, "-", "_") + "-" + version + ".whl"
	}
	name, version := cutLast(p.NPM, "@")
	return strings.ReplaceAll(strings.TrimPrefix(name, "@"), "/", "-") + "-" + version + ".tgz"
}

func cutLast(s, sep string) (before, after string) {
	i := max(strings.LastIndex(s, sep), 0)
	return s[:i], strings.TrimPrefix(s[i:], sep)
}

var posts = []cutout.Post{cutout.PostNone, cutout.PostSigmoid, cutout.PostMinMax,
	cutout.PostSigmoidMinMax, cutout.PostArgmax}

func (e Entry) check() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("model "+e.Name+": "+format, args...)
	}
	switch {
	case !nameForm.MatchString(e.Name):
		return fmt.Errorf("a model's name must consist of a-z, 0-9, '.', '_' and '-', unlike %q", e.Name)
	case e.Size < 32 || e.Size > 4096:
		return wrong("size is 32 to 4096 pixels a side, not %d", e.Size)
	case len(e.Mean) != 3 || len(e.Std) != 3:
		return wrong("mean and std are three numbers each, for red, green and blue")
	case e.Scale < 0 || e.Std[0] <= 0 || e.Std[1] <= 0 || e.Std[2] <= 0:
		return wrong("scale must be at least 0, and each std greater than 0")
	case !slices.Contains(posts, e.Post):
		return wrong("post is one of %v, not %q", posts, e.Post)
	case e.SHA256 != "" && !sha256Of.MatchString(e.SHA256):
		return wrong("sha256 must be 64 lower-case hex digits")
	case e.MD5 != "" && !md5Of.MatchString(e.MD5):
		return wrong("md5 must be 32 lower-case hex digits")
	case !e.Own && e.SHA256 == "" && e.MD5 == "":
		return wrong("no checksum is given")
	}
	return nil
}
