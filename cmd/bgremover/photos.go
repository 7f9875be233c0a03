package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"bgremover.pro/core/cutout"
)

// pictures lists the file extensions by which photos are found in a folder; a
// file named as an argument is read whatever its extension.
var pictures = []string{".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".gif", ".bmp", ".tif", ".tiff"}

// photosIn lists the photos that the arguments name: files, "-", and the photos
// directly inside folders, except results of earlier runs.
func photosIn(args []string) ([]string, error) {
	var photos []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil || !info.IsDir() {
			photos = append(photos, arg) // if it is missing, reading it fails later
			continue
		}
		entries, err := os.ReadDir(arg)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			name := strings.ToLower(entry.Name())
			ending := filepath.Ext(name)
			if entry.Type().IsRegular() && slices.Contains(pictures, ending) && !isResult(strings.TrimSuffix(name, ending)) {
				photos = append(photos, filepath.Join(arg, entry.Name()))
			}
		}
	}
	if len(photos) == 0 {
		return nil, fmt.Errorf("no photos in %s", strings.Join(args, ", "))
	}
	return photos, nil
}

func isResult(name string) bool {
	return strings.HasSuffix(name, "."+string(cutout.Cutout)) || strings.HasSuffix(name, "."+string(cutout.Matte))
}

// targetOf returns the path for a photo's result; target is what --to named.
func targetOf(photo, target string, options cutout.Options, several bool) string {
	name := strings.TrimSuffix(filepath.Base(photo), filepath.Ext(photo)) + "." + string(options.Output) + options.Format.Extension()
	switch {
	case target == "" && photo == "-", target == "-":
		return "-"
	case target == "":
		return filepath.Join(filepath.Dir(photo), name)
	}
	if info, err := os.Stat(target); several || err == nil && info.IsDir() {
		return filepath.Join(target, name)
	}
	return target
}

func readPhoto(stdin io.Reader, photo string) ([]byte, error) {
	if photo == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(photo)
}

// write writes a result to a new file, or over an existing one with force.
func write(target string, file []byte, force bool) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // for the user's own pictures
		return err
	}
	mode := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if !force {
		mode |= os.O_EXCL
	}
	f, err := os.OpenFile(target, mode, 0o644) //nolint:gosec // the user's own picture
	if os.IsExist(err) {
		return fmt.Errorf("%s exists; use --force to overwrite it", target)
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(file); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// photoBar shows progress: a bar on a terminal if there are several photos, else
// one line per photo.
type photoBar struct {
	out io.Writer
	bar *progressbar.ProgressBar
}

func newPhotoBar(out io.Writer, photos int) *photoBar {
	b := &photoBar{out: out}
	if file, ok := out.(*os.File); ok && photos > 1 && term.IsTerminal(int(file.Fd())) {
		b.bar = progressbar.NewOptions(photos, progressbar.OptionSetWriter(out), progressbar.OptionShowCount(),
			progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true))
	}
	return b
}

// say prints a line without breaking the bar.
func (b *photoBar) say(line string) {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
	fmt.Fprintln(b.out, line)
}

func (b *photoBar) done() {
	if b.bar != nil {
		_ = b.bar.Add(1) // failing to draw the bar is harmless
	}
}
