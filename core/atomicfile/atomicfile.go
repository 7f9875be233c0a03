// Package atomicfile writes files that are never seen half-written: whatever happens,
// a path holds the complete old file, the complete new one, or none.
package atomicfile

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Temporary matches the files that a killed process leaves next to the path, for the owner
// of the folder to remove.
const Temporary = ".new-*"

// Replace fills a new file and moves it to the path.
func Replace(path string, mode fs.FileMode, fill func(*os.File) error) error {
	return write(path, mode, fill, os.Rename)
}

// Create is Replace for a path that must not exist; fs.ErrExist if it does.
func Create(path string, mode fs.FileMode, fill func(*os.File) error) error {
	return write(path, mode, fill, os.Link)
}

// Bytes fills a file with content.
func Bytes(content []byte) func(*os.File) error {
	return func(f *os.File) error {
		_, err := f.Write(content)
		return err
	}
}

func write(path string, mode fs.FileMode, fill func(*os.File) error, place func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), Temporary) // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		_ = os.Remove(f.Name()) // gone already after a rename
	}()
	if err := fill(f); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// SyncFolder makes a rename last through a power cut, where the system can.
func SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	_ = folder.Sync() // some file systems cannot
	return nil
}
