package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bgremover.pro/core/atomicfile"
)

// persistTo writes values into the settings file and leaves its other lines,
// comments and order as they are. The file is replaced in one step.
func persistTo(path string, values map[string]string) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // replace the file, not the link to it
	}
	mode := fs.FileMode(0o600)
	content, err := os.ReadFile(path)
	if err == nil {
		if info, err := os.Stat(path); err == nil {
			mode = info.Mode().Perm()
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := atomicfile.Replace(path, mode, atomicfile.Bytes([]byte(edit(string(content), values)))); err != nil {
		return fmt.Errorf("the settings file cannot be written: %w", err)
	}
	return nil
}

var tableLine = regexp.MustCompile(`^\s*\[`)

// edit sets top-level keys in the text of a TOML file. The file was read
// before, so a key has one line unless its value is a list over several.
func edit(content string, values map[string]string) string {
	lines := strings.Split(strings.TrimRight(content, "\n"), "\n")
	if content == "" {
		lines = nil
	}
	top := slices.IndexFunc(lines, tableLine.MatchString)
	if top < 0 {
		top = len(lines)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		line := key + " = " + strconv.Quote(values[key])
		pattern := regexp.MustCompile(`^\s*"?` + regexp.QuoteMeta(key) + `"?\s*=`)
		at := slices.IndexFunc(lines[:top], pattern.MatchString)
		if at < 0 {
			lines = slices.Insert(lines, top, line)
			top++
			continue
		}
		end := at + 1 + continuation(lines[at:top])
		lines = slices.Replace(lines, at, end, line)
		top -= end - at - 1
	}
	return strings.Join(lines, "\n") + "\n"
}

// continuation counts the further lines of a list that is open at the end of
// the first.
func continuation(lines []string) int {
	depth := 0
	for i, line := range lines {
		depth += strings.Count(line, "[") - strings.Count(line, "]")
		if depth <= 0 {
			return i
		}
	}
	return 0
}
