package accesslog

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	rotatelogs "github.com/lestrrat-go/file-rotatelogs"
)

// files writes to one file a day. file-rotatelogs does the rotation; its purging is
// not used, because it goes by modification time, runs only while lines are
// written, and removes files that are not ours.
type files struct {
	dir  string
	name string         // what the files' names begin with
	ours *regexp.Regexp // matches the names that this package and file-rotatelogs make; any other file in the folder is not touched

	mu      sync.Mutex
	rotator *rotatelogs.RotateLogs // nil while no file is open
	current fs.FileInfo
	torn    bool // the last write ended within a line
}

const (
	day     = 24 * time.Hour
	dayForm = "20060102"
	never   = 100 * 365 * day
)

func newFiles(dir, name string) *files {
	return &files{dir: dir, name: name, ours: regexp.MustCompile(`^` + regexp.QuoteMeta(name) + `\.([0-9]{8})\.log((?:\.[0-9]+)?)(\.gz)?(\.tmp|_lock|_symlink)?$`)}
}

func (f *files) of(t time.Time) string { return f.name + "." + t.UTC().Format(dayForm) + ".log" }

// size is the size of the day's existing files.
func (f *files) size(day time.Time) (bytes int64) {
	all, _ := filepath.Glob(filepath.Join(f.dir, f.of(day)+"*")) // New refuses folders whose path is a pattern
	for _, path := range all {
		if info, err := os.Stat(path); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// Write writes whole lines, to the file of today.
func (f *files) Write(lines []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.open(); err != nil {
		return 0, err
	}
	if f.torn {
		// A full disk cut a line; the next begins on its own.
		if _, err := f.rotator.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
	}
	n, err := f.rotator.Write(lines)
	f.torn = n > 0 && lines[n-1] != '\n'
	return n, err
}

// open makes sure that today's file exists, is open, and still has its name.
func (f *files) open() error {
	name := filepath.Join(f.dir, f.of(time.Now()))
	if f.rotator != nil && f.current != nil {
		if info, err := os.Stat(name); err == nil && os.SameFile(info, f.current) {
			return nil
		}
		f.close() // a new day, or somebody moved the file or the folder away
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	// file-rotatelogs would make the file readable by all.
	made, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	f.current, err = made.Stat()
	made.Close()
	if err != nil {
		return err
	}
	// Left by a process that was killed; we are the only one now.
	_ = os.Remove(name + "_lock")
	f.rotator, err = rotatelogs.New(filepath.Join(f.dir, f.name+".%Y%m%d.log"),
		rotatelogs.WithClock(rotatelogs.UTC), rotatelogs.WithRotationTime(day), rotatelogs.WithMaxAge(never))
	return err
}

func (f *files) close() {
	if f.rotator != nil {
		_ = f.rotator.Close() // it buffers no lines
	}
	f.rotator, f.current, f.torn = nil, nil, false
}

// Close closes the file; a later Write opens it again.
func (f *files) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.close()
	return nil
}

// closeDay closes a file of a day that is over, so that it can be removed.
func (f *files) closeDay() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current != nil && f.current.Name() != f.of(time.Now()) {
		f.close()
	}
}
