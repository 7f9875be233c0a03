package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestFilesAreWholeOrNotThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	failed := errors.New("the disk is full")
	half := func(f *os.File) error {
		_, err := f.WriteString("ha")
		return errors.Join(err, failed)
	}
	expect := func(want string) {
		t.Helper()
		got, err := os.ReadFile(path)
		if string(got) != want || (want == "") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, Temporary)); left != nil {
			t.Errorf("left behind: %v", left)
		}
	}
	if err := Create(path, 0o600, half); !errors.Is(err, failed) {
		t.Error(err)
	}
	expect("")
	if err := Create(path, 0o640, Bytes([]byte("first"))); err != nil {
		t.Error(err)
	}
	expect("first")
	if err := Create(path, 0o600, Bytes([]byte("second"))); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	expect("first")
	if err := Replace(path, 0o600, half); !errors.Is(err, failed) {
		t.Error(err)
	}
	expect("first")
	if err := Replace(path, 0o600, Bytes([]byte("second"))); err != nil {
		t.Error(err)
	}
	expect("second")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if err := Replace(filepath.Join(dir, "nowhere", "file"), 0o600, Bytes(nil)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
