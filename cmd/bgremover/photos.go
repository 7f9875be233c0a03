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

// pictures are the endings by which photos are found in a folder; a file named
// outright is read whatever it is called.
var pictures = []string{".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".gif", ".bmp", ".tif", ".tiff"}

// photosIn lists the photos that arguments name: files, "-", and what lies in
// folders (not below), without the results of earlier runs.
func photosIn(args []string) ([]string, error) {
	var photos []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil || !info.IsDir() {
			photos = append(photos, arg) // an error comes up when it is read
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
		return nil, fmt.Errorf("there is no photo in %s", strings.Join(args, ", "))
	}
	return photos, nil
}

func isResult(name string) bool {
	return strings.HasSuffix(name, "."+string(cutout.Cutout)) || strings.HasSuffix(name, "."+string(cutout.Matte))
}

// targetOf says where the result of a photo goes.
func targetOf(photo, output string, options cutout.Options, several bool) string {
	name := strings.TrimSuffix(filepath.Base(photo), filepath.Ext(photo)) + "." + string(options.Output) + options.Format.Extension()
	switch {
	case output == "" && photo == "-", output == "-":
		return "-"
	case output == "":
		return filepath.Join(filepath.Dir(photo), name)
	}
	if info, err := os.Stat(output); several || err == nil && info.IsDir() {
		return filepath.Join(output, name)
	}
	return output
}

func readPhoto(stdin io.Reader, photo string) ([]byte, error) {
	if photo == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(photo)
}

// write puts a result where it belongs: a new file, or one that force says may
// be lost.
func write(target string, file []byte, force bool) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // a folder of the person's own pictures
		return err
	}
	mode := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if !force {
		mode |= os.O_EXCL
	}
	f, err := os.OpenFile(target, mode, 0o644) //nolint:gosec // a picture of the person's own
	if os.IsExist(err) {
		return fmt.Errorf("%s is there already (--force overwrites it)", target)
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

// photoBar shows how many photos are done: a bar on a terminal where there are
// several, a line for each photo elsewhere.
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
		_ = b.bar.Add(1) // a bar that cannot be drawn harms nothing
	}
}
