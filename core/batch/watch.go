package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"bgremover.pro/core/cutout"
)

const (
	// settle is how long events are gathered before a folder is read.
	settle = 200 * time.Millisecond
	// again is when a folder is read again that holds files still being written.
	again = 500 * time.Millisecond
)

// Watch offers each file in the folders, and in folders inside these, that has no result
// yet, as soon as it is finished, until ctx ends: those that exist, and those that appear.
// A file that is changed is offered again. Offer and problem are called from one goroutine;
// events wait while they do not return. Code: Invalid if an argument is not a folder or
// cannot be watched, or if all folders are gone.
func Watch(ctx context.Context, folders []string, n Naming, offer func(File), problem func(Problem)) error {
	for _, folder := range folders {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return cutout.Errorf(cutout.Invalid, "%s is not a folder: only folders can be watched", folder)
		}
	}
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("folders cannot be watched: %w", err)
	}
	defer func() { _ = events.Close() }()
	w := &watch{finder: newFinder(n, folders), events: events, offer: offer, problem: problem, folders: map[string]*folder{}}
	for _, folder := range folders {
		if err := w.add(filepath.Clean(folder), w.root(folder)); err != nil {
			return cutout.Errorf(cutout.Invalid, "%s cannot be watched: %w", folder, err)
		}
	}
	return w.run(ctx)
}

type watch struct {
	*finder
	events  *fsnotify.Watcher
	offer   func(File)
	problem func(Problem)
	folders map[string]*folder
}

// folder is one that is watched.
type folder struct {
	into  string
	dirty bool // to be read
	// tried holds the files that were offered, as they were then.
	tried map[string]version
}

// version identifies a state of a file.
type version struct {
	time time.Time
	size int64
}

func (w *watch) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	armed := true // by the first event, so that a stream of them postpones nothing
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-w.events.Events:
			w.note(event)
		case <-w.events.Errors: //nolint:errcheck // whichever it is, events were lost
			for _, f := range w.folders {
				f.dirty = true
			}
		case <-timer.C:
			armed = false
			if busy := w.read(ctx); busy {
				timer.Reset(again)
				armed = true
			}
		}
		if len(w.folders) == 0 {
			return cutout.Errorf(cutout.Invalid, "the watched folders are gone")
		}
		if !armed && w.dirty() {
			timer.Reset(settle)
			armed = true
		}
	}
}

// note marks the folder that an event is about.
func (w *watch) note(event fsnotify.Event) {
	if event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename) {
		w.forget(event.Name)
	}
	name := filepath.Base(event.Name)
	if f := w.folders[filepath.Dir(event.Name)]; f != nil && !strings.HasPrefix(name, ".") && !isResult(name) {
		f.dirty = true
	}
}

// forget ends the watch of a folder that is gone, and of those inside it, which may
// have been moved with it.
func (w *watch) forget(gone string) {
	for path := range w.folders {
		if path == gone || strings.HasPrefix(path, gone+string(filepath.Separator)) {
			_ = w.events.Remove(path)
			delete(w.folders, path)
			clear(w.visited) // it may come back; what is watched is not added twice
		}
	}
}

func (w *watch) dirty() bool {
	for _, f := range w.folders {
		if f.dirty {
			return true
		}
	}
	return false
}

// add watches a folder; it is read later, so that nothing in it is missed.
func (w *watch) add(path, into string) error {
	if w.folders[path] != nil || !w.first(path) {
		return nil
	}
	if err := w.events.Add(path); err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return errors.New("the system's limit for watched folders is reached (on Linux: sysctl fs.inotify.max_user_watches)")
		}
		return plain(err)
	}
	w.folders[path] = &folder{into: into, dirty: true, tried: map[string]version{}}
	return nil
}

// read reads the folders marked, until none is; busy means that some hold files
// that are not finished.
func (w *watch) read(ctx context.Context) (busy bool) {
	for more := true; more; {
		more = false
		for path, f := range w.folders {
			if !f.dirty || ctx.Err() != nil {
				continue
			}
			f.dirty, more = false, true
			busy = w.readOne(ctx, path, f) || busy
		}
		for _, p := range w.problems {
			w.problem(p)
		}
		w.problems = nil
	}
	return busy && w.remark()
}

// unfinished marks, in tried, a file that is still being written.
var unfinished = version{size: -1}

func (w *watch) readOne(ctx context.Context, path string, f *folder) (busy bool) {
	files, folders, err := w.names.scan(path, f.into)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.problem(Problem{path, err})
	}
	for _, name := range folders {
		inside := filepath.Join(path, name)
		if err := w.add(inside, filepath.Join(f.into, name)); err != nil {
			w.problem(Problem{inside, err})
		}
	}
	tried := map[string]version{}
	for _, file := range files {
		if ctx.Err() != nil {
			return false
		}
		info, err := os.Stat(file.Path)
		if err != nil || info.Size() == 0 {
			continue // gone again, or not begun: an event follows
		}
		now := version{info.ModTime(), info.Size()}
		switch {
		case f.tried[file.Path] == now || file.Done():
			tried[file.Path] = now
		case !finished(file.Path, info):
			tried[file.Path], busy = unfinished, true
		default:
			tried[file.Path] = now
			w.offer(file)
		}
	}
	f.tried = tried
	return busy
}

// remark marks the folders with unfinished files.
func (w *watch) remark() bool {
	for _, f := range w.folders {
		for _, v := range f.tried {
			f.dirty = f.dirty || v == unfinished
		}
	}
	return true
}

// quiet is how long a file must be unchanged to count as finished where the system
// does not say who writes to it.
const quiet = 2 * time.Second

func unchanged(info fs.FileInfo) bool { return time.Since(info.ModTime()) >= quiet }
