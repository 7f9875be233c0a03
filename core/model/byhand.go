package model

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"bgremover.pro/core/cutout"
)

// installFrom installs the files, or the packages they are in, from a folder.
func (s *Store) installFrom(ctx context.Context, it item, wanted Wanted, progress Progress) error {
	progress(Event{What: it.what, State: Unpacking})
	var rest item
	rest.source = it.source
	for _, file := range it.files {
		plain := firstFile(wanted.From, file.names)
		if plain == "" || file.content.SHA256 == "" && file.content.MD5 == "" {
			rest.files = append(rest.files, file)
			continue
		}
		whole := file
		whole.content.Member, whole.content.Index = "", ""
		if err := s.unpackAll(ctx, plain, item{what: it.what, source: it.source, files: []target{whole}}); err != nil {
			return err
		}
	}
	if len(rest.files) == 0 {
		return nil
	}
	archive := firstFile(wanted.From, it.source.published())
	if archive == "" {
		return cutout.Errorf(cutout.Invalid, "%s holds neither %s nor %s.",
			wanted.From, rest.files[0].names[0], it.source.archive())
	}
	if err := it.source.intact(archive); err != nil {
		return err
	}
	return s.unpackAll(ctx, archive, rest)
}

// published are patterns for the name of a package's file; a wheel's also tells what
// it is for.
func (p Package) published() []string {
	name := p.archive()
	return []string{name, strings.TrimSuffix(name, ".whl") + "-*.whl"}
}

// firstFile returns the first file in a folder that has one of the names, which may be
// patterns.
func firstFile(dir string, names []string) string {
	for _, name := range names {
		found, _ := filepath.Glob(filepath.Join(dir, name))
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return path
			}
		}
	}
	return ""
}
