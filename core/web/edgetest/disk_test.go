package edgetest

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Photos and results, however large, pass through memory alone. That the same
// upload leaves files behind another configuration shows that they would be
// seen.
func TestPhotosTouchNoDisk(t *testing.T) {
	behind(t, []kind{varnishOurs, nginxOurs, caddy, nginxHostile}, func(t *testing.T, e *edge) {
		v := e.visitor(t, 2)
		v.get("/").expect(t, "/", 200) // folders are made
		if e.caches {
			eventually(t, "the page is in the cache", func() bool {
				before := e.origin.requests()
				v.get("/")
				return e.origin.requests() == before
			})
		}
		photo := noise(12 << 20)
		written := watch(t, e.dir)
		r := v.api(photo)
		r.expect(t, "api", 200)
		if r.body != photo {
			t.Error("the result is another")
		}
		v.form(photo[:4<<20]).expect(t, "form", 200)
		touched := written()
		if e.ours && len(touched) > 0 {
			t.Errorf("written: %v", touched)
		}
		if !e.ours && len(touched) == 0 {
			t.Error("a buffering proxy was not seen to buffer")
		}
		if e.ours && holds(t, e.dir, photo[1<<20:1<<20+32]) {
			t.Error("a file holds the photo")
		}
	})
}

// noise compresses to nothing less and is in no other file.
func noise(n int) string {
	b := make([]byte, n)
	source := rand.NewChaCha8([32]byte{1: byte(n), 2: byte(os.Getpid())})
	_, _ = source.Read(b)
	return string(b)
}

// watch has every file noticed that is made or written below a folder. What it
// returns gives the names so far.
func watch(t *testing.T, root string) func() []string {
	t.Helper()
	watcher, err := fsnotify.NewBufferedWatcher(1 << 16)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = watcher.Close() })
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return watcher.Add(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() []string {
		const last = "the last event"
		write(t, filepath.Join(root, last), "")
		var names []string
		deadline := time.After(patience)
		for {
			select {
			case event := <-watcher.Events:
				if filepath.Base(event.Name) == last {
					return names
				}
				names = append(names, event.String())
			case err := <-watcher.Errors:
				t.Fatal(err)
			case <-deadline:
				t.Fatal("no event was seen")
			}
		}
	}
}

// holds says whether a file below a folder holds some bytes.
func holds(t *testing.T, root, part string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		found = found || bytes.Contains(content, []byte(part))
		if err != nil && !strings.Contains(err.Error(), "no such file") {
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
