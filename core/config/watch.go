package config

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a file must be unchanged before it is read: editors truncate
// or remove it while they save.
const settle = 200 * time.Millisecond

// Watch reloads on SIGHUP and when the settings file changes, until ctx ends.
// It calls ready, if set, once it is watching both.
func (l *Live) Watch(ctx context.Context, ready func()) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	path, _ := l.sources.path()
	watcher, err := watchFolders(path)
	if err != nil {
		return err
	}
	defer func() { _ = watcher.Close() }()
	if ready != nil {
		ready()
	}

	var seen []byte
	timer := time.NewTimer(0) // it may have changed since it was loaded
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			l.Reload("SIGHUP")
		case event, open := <-watcher.Events:
			if open && concerns(event, path) {
				timer.Reset(settle)
			}
		case <-watcher.Errors: //nolint:errcheck // events were lost, so check the file anyway
			timer.Reset(settle)
		case <-timer.C:
			// A missing file is an error, but perhaps only for a moment.
			content, err := os.ReadFile(path)
			if err == nil && !bytes.Equal(content, seen) {
				seen = content
				l.Reload("change of " + filepath.Base(path))
			}
		}
	}
}

// watchFolders watches the folder of the file and, where the file is a link,
// that of what it points to: a replaced file is a new one that a watch on the
// old would not see.
func watchFolders(path string) (*fsnotify.Watcher, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("cannot watch the settings file for changes: %w", err)
	}
	folders := []string{filepath.Dir(path)}
	if real, err := filepath.EvalSymlinks(path); err == nil && filepath.Dir(real) != folders[0] {
		folders = append(folders, filepath.Dir(real))
	}
	for _, folder := range folders {
		if err := watcher.Add(folder); err != nil {
			_ = watcher.Close()
			return nil, fmt.Errorf("cannot watch the folder %s of the settings file for changes: %w", folder, err)
		}
	}
	return watcher, nil
}

// concerns reports whether an event may have changed the file. Kubernetes swaps a link
// named ..data next to it.
func concerns(event fsnotify.Event, path string) bool {
	base := filepath.Base(event.Name)
	if base == filepath.Base(path) || base == "..data" {
		return true
	}
	real, err := filepath.EvalSymlinks(path)
	return err == nil && base == filepath.Base(real)
}
