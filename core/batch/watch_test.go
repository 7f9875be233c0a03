package batch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bgremover.pro/core/cutout"
)

// watched is a Watch in progress.
type watched struct {
	t        *testing.T
	root     string
	offers   chan File
	problems chan Problem
	stop     context.CancelFunc
	ended    chan error
}

func watching(t *testing.T, root string) *watched {
	ctx, stop := context.WithCancel(t.Context())
	w := &watched{t, root, make(chan File, 1000), make(chan Problem, 1000), stop, make(chan error, 1)}
	go func() {
		w.ended <- Watch(ctx, []string{root}, usual, func(f File) { w.offers <- f }, func(p Problem) { w.problems <- p })
	}()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-w.ended:
			if err != nil {
				t.Error("it ended with", err)
			}
		case <-time.After(time.Minute):
			t.Error("it does not end")
		}
	})
	return w
}

// expect waits for exactly these files, in any order, and finishes them.
func (w *watched) expect(names ...string) {
	w.t.Helper()
	slices.Sort(names)
	var got []string
	for len(got) < len(names) {
		select {
		case f := <-w.offers:
			rel, _ := filepath.Rel(w.root, f.Path)
			got = append(got, rel)
			if err := Write(f.Target, []byte("x"), true); err != nil {
				w.t.Fatal(err)
			}
		case p := <-w.problems:
			w.t.Fatal(p)
		case err := <-w.ended:
			w.ended <- nil
			w.t.Fatalf("it ended (%v) after %q", err, got)
		case <-time.After(time.Minute):
			w.t.Fatalf("still waiting; so far %q", got)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, names) {
		w.t.Fatalf("got %q instead of %q", got, names)
	}
}

func (w *watched) write(name string, content string) {
	w.t.Helper()
	path := filepath.Join(w.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func TestWatchOffersWhatIsThereAndWhatComes(t *testing.T) {
	w := watching(t, tree(t, "old.jpg", "done.jpg", "done.cutout.png", "sub/old.png"))
	w.expect("old.jpg", "sub/old.png")
	w.write("new.jpg", "x")
	w.expect("new.jpg")
	w.write("sub/new.jpg", "x")
	w.expect("sub/new.jpg")
	w.write("made/just/now.jpg", "x") // its folders are new
	w.expect("made/just/now.jpg")
	w.write("new.jpg", "a new version")
	w.expect("new.jpg")
	// Moved in from elsewhere, as programs do that write elsewhere first.
	other := tree(t, "moved.jpg", "folder/inside.jpg")
	for _, name := range []string{"moved.jpg", "folder"} {
		if err := os.Rename(filepath.Join(other, name), filepath.Join(w.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	w.expect("folder/inside.jpg", "moved.jpg")
	// A folder that is moved is followed to its new name.
	if err := os.Rename(filepath.Join(w.root, "folder"), filepath.Join(w.root, "renamed")); err != nil {
		t.Fatal(err)
	}
	w.write("renamed/later.jpg", "x")
	w.expect("renamed/later.jpg")
}

// TestWatchWaitsUntilAFileIsFinished: the file that is held open is offered last,
// though it was there first, and only once.
func TestWatchWaitsUntilAFileIsFinished(t *testing.T) {
	w := watching(t, t.TempDir())
	slow, err := os.Create(filepath.Join(w.root, "a-slow.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := slow.WriteString("part"); err != nil {
			t.Fatal(err)
		}
		w.write(fmt.Sprintf("quick%d.jpg", i), "x")
		w.expect(fmt.Sprintf("quick%d.jpg", i)) // the folder was read, with the slow one in it
	}
	if err := slow.Close(); err != nil {
		t.Fatal(err)
	}
	w.expect("a-slow.jpg")
}

func TestWatchOffersEachOfABurstOnce(t *testing.T) {
	w := watching(t, t.TempDir())
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprintf("%d/%03d.jpg", i%7, i))
		w.write(names[i], "x")
	}
	w.expect(names...)
	w.write("last.jpg", "x")
	w.expect("last.jpg") // and none of the others again
}

func TestWatchDoesNotTryAFailureAgain(t *testing.T) {
	w := watching(t, t.TempDir())
	w.write("bad.jpg", "x")
	if f := <-w.offers; filepath.Base(f.Path) != "bad.jpg" {
		t.Fatal(f)
	}
	w.write("good.jpg", "x")
	w.expect("good.jpg")
	w.write("bad.jpg", "better now")
	w.expect("bad.jpg")
}

func TestWatchEndsWithItsFolders(t *testing.T) {
	root := t.TempDir()
	w := watching(t, root)
	w.write("a.jpg", "x")
	w.expect("a.jpg")
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-w.ended:
		w.ended <- nil
		if cutout.CodeOf(err) != cutout.Invalid {
			t.Error("it ended with", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it watches what is gone")
	}
	if err := Watch(t.Context(), []string{filepath.Join(t.TempDir(), "no")}, usual, nil, nil); cutout.CodeOf(err) != cutout.Invalid {
		t.Error(err)
	}
}
