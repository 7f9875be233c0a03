package batch

import (
	"os"
	"path/filepath"
	"strings"
)

// Naming says where results go and what they are called.
type Naming struct {
	// To is a folder, for one file its result's path, "-" for standard output, or empty:
	// next to the file.
	To string
	// Photo and Video replace a file's ending in its result's name, such as
	// ".cutout.png".
	Photo, Video string
	// Videos means that videos in folders are processed too.
	Videos bool

	folder bool // To is a folder whether it exists or not
}

// results are the parts of a name, before its last ending, that mark a result.
var results = []string{".cutout", ".mask"}

// isResult recognises results of this program by their names: they are never input found in
// a folder. A folder of frames has no other ending.
func isResult(name string) bool {
	name = strings.ToLower(name)
	for _, mark := range results {
		if strings.HasSuffix(name, mark) || strings.HasSuffix(strings.TrimSuffix(name, filepath.Ext(name)), mark) {
			return true
		}
	}
	return false
}

// direct gives each file of a folder its target in another. Files whose results would
// have the same name, such as those of a.jpg and a.png, all keep their endings:
// a.jpg.cutout.png.
func (n Naming) direct(files []File, into string) {
	whole := make([]bool, len(files))
	for more := true; more; {
		more = false
		sharing := map[string][]int{}
		for i := range files {
			name := n.result(files[i], whole[i])
			files[i].Target = filepath.Join(into, name)
			sharing[strings.ToLower(name)] = append(sharing[strings.ToLower(name)], i)
		}
		for _, same := range sharing {
			for _, i := range same {
				if len(same) > 1 && !whole[i] {
					whole[i], more = true, true
				}
			}
		}
	}
}

// result is the name of a file's result.
func (n Naming) result(f File, whole bool) string {
	name := filepath.Base(f.Path)
	if !whole {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	if f.Video {
		return name + n.Video
	}
	return name + n.Photo
}

// named returns a file that was named itself.
func (n Naming) named(path string) File {
	_, video := kind(path)
	f := File{Path: path, Video: video}
	switch {
	case n.To == "" && path == "-", n.To == "-":
		f.Target = "-"
	case n.To == "":
		f.Target = filepath.Join(filepath.Dir(path), n.result(f, false))
	case n.isFolder():
		f.Target = filepath.Join(n.To, n.result(f, false))
	default:
		f.Target = n.To
	}
	return f
}

func (n Naming) isFolder() bool {
	info, err := os.Stat(n.To)
	return n.folder || strings.HasSuffix(n.To, string(filepath.Separator)) || err == nil && info.IsDir()
}
