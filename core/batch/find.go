// Package batch works on many files: it finds photos and videos in folders, decides where
// their results go, processes several at once, and watches folders for more.
package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// File is a photo or a video, and where its result goes.
type File struct {
	Path string
	// Target is the path of its result; "-" stands for standard output.
	Target string
	Video  bool
	// Found means that it was found in a folder, not named itself.
	Found bool
}

// Done reports whether the file has its result: one that is at least as new as the
// file.
func (f File) Done() bool {
	source, err := os.Stat(f.Path)
	if err != nil {
		return false
	}
	result, err := os.Stat(f.Target)
	return err == nil && !result.ModTime().Before(source.ModTime())
}

// Problem is a file or folder that cannot be processed.
type Problem struct {
	Path string
	Err  error
}

// Endings of files that are found in folders; a file named itself may have any.
var (
	photos = []string{".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".gif", ".bmp", ".tif", ".tiff"}
	videos = []string{".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"}
)

// Find lists the files that the arguments name: files, "-", and what lies in
// folders and in folders inside these, in order. Of a folder it leaves out results,
// hidden files and, unless the naming has them, videos. Links are followed; a folder
// that several paths lead to is visited once.
func Find(ctx context.Context, args []string, n Naming) ([]File, []Problem) {
	f := newFinder(n, args)
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil || !info.IsDir() {
			f.take(f.names.named(arg)) // if it is missing, reading it fails later
			continue
		}
		f.walk(ctx, arg, f.root(arg))
	}
	return f.files, f.problems
}

type finder struct {
	names    Naming
	several  bool // folders, each of which gets a folder of its own under names.To
	visited  map[string]bool
	claimed  map[string]string // the file whose result each target is
	files    []File
	problems []Problem
}

func newFinder(n Naming, args []string) *finder {
	folders := 0
	for _, arg := range args {
		if info, err := os.Stat(arg); err == nil && info.IsDir() {
			folders++
		}
	}
	n.folder = n.folder || len(args) > 1 || folders > 0
	return &finder{names: n, several: folders > 1, visited: map[string]bool{}, claimed: map[string]string{}}
}

// root is where the results of a folder that was named go.
func (f *finder) root(folder string) string {
	switch {
	case f.names.To == "":
		return folder
	case !f.several:
		return f.names.To
	}
	name := filepath.Base(folder)
	if full, err := filepath.Abs(folder); err == nil {
		name = filepath.Base(full) // of "." and ".."
	}
	return filepath.Join(f.names.To, name)
}

// walk takes what lies in a folder, whose results go into another.
func (f *finder) walk(ctx context.Context, folder, into string) {
	if ctx.Err() != nil || !f.first(folder) {
		return
	}
	files, folders, err := f.names.scan(folder, into)
	if err != nil {
		f.problems = append(f.problems, Problem{folder, err})
	}
	for _, file := range files {
		f.take(file)
	}
	for _, name := range folders {
		f.walk(ctx, filepath.Join(folder, name), filepath.Join(into, name))
	}
}

// first reports whether a folder was not visited before, under whatever path.
func (f *finder) first(folder string) bool {
	real, err := filepath.EvalSymlinks(folder)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		f.problems = append(f.problems, Problem{folder, err})
		return false
	}
	known := f.visited[real]
	f.visited[real] = true
	return !known
}

// take adds a file unless it is there already, or its result would be another's.
func (f *finder) take(file File) {
	target := file.Target
	if full, err := filepath.Abs(target); err == nil && target != "-" {
		target = full
	}
	other, claimed := f.claimed[target]
	switch {
	case !claimed || target == "-":
		f.claimed[target] = file.Path
		f.files = append(f.files, file)
	case filepath.Clean(other) != filepath.Clean(file.Path):
		f.problems = append(f.problems, Problem{file.Path, fmt.Errorf("its result would be %s, as is that of %s; rename one of them, or write to another folder", file.Target, other)})
	}
}

// scan lists the files and, by name, the folders directly inside a folder.
func (n Naming) scan(folder, into string) (files []File, folders []string, err error) {
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || isResult(name) {
			continue
		}
		mode := entry.Type()
		if mode&fs.ModeSymlink != 0 {
			mode = 0 // if it leads nowhere, reading it says so
			if info, err := os.Stat(filepath.Join(folder, name)); err == nil {
				mode = info.Mode().Type()
			}
		}
		switch photo, video := kind(name); {
		case mode.IsDir():
			folders = append(folders, name)
		case mode.IsRegular() && (photo || video && n.Videos):
			files = append(files, File{Path: filepath.Join(folder, name), Video: video, Found: true})
		}
	}
	n.direct(files, into)
	return files, folders, plain(err)
}

func kind(name string) (photo, video bool) {
	ending := strings.ToLower(filepath.Ext(name))
	return slices.Contains(photos, ending), slices.Contains(videos, ending)
}

// plain leaves out the path that an error of the file system repeats.
func plain(err error) error {
	var about *fs.PathError
	if errors.As(err, &about) {
		return about.Err
	}
	return err
}
