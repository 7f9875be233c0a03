package batch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var usual = Naming{Photo: ".cutout.png", Video: ".cutout.mov"}

// tree makes files, and links where there is " -> ".
func tree(t testing.TB, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		name, link, isLink := strings.Cut(name, " -> ")
		path := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		switch {
		case err != nil:
		case isLink:
			err = os.Symlink(link, path)
		default:
			err = os.WriteFile(path, []byte("x"), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// found lists what Find finds, as "input -> output", relative to root.
func found(t *testing.T, root string, n Naming, args ...string) (lines []string, problems []string) {
	t.Helper()
	t.Chdir(root)
	files, wrong := Find(t.Context(), args, n)
	for _, f := range files {
		lines = append(lines, f.Path+" -> "+f.Target)
	}
	for _, p := range wrong {
		problems = append(problems, p.Path+": "+p.Err.Error())
	}
	return lines, problems
}

func TestFolders(t *testing.T) {
	with := func(change func(*Naming)) Naming {
		n := usual
		change(&n)
		return n
	}
	to := with(func(n *Naming) { n.To = "out" })
	for name, c := range map[string]struct {
		tree  []string
		names Naming
		args  []string
		want  []string
	}{
		"folders inside folders": {
			tree: []string{"in/a.jpg", "in/b/c.PNG", "in/b/d/e.heic", "in/notes.txt"}, names: usual, args: []string{"in"},
			want: []string{"in/a.jpg -> in/a.cutout.png", "in/b/c.PNG -> in/b/c.cutout.png", "in/b/d/e.heic -> in/b/d/e.cutout.png"},
		},
		"their structure elsewhere": {
			tree: []string{"in/a.jpg", "in/b/c.png"}, names: to, args: []string{"in"},
			want: []string{"in/a.jpg -> out/a.cutout.png", "in/b/c.png -> out/b/c.cutout.png"},
		},
		"several folders elsewhere": {
			tree: []string{"x/p/a.jpg", "q/a.jpg"}, names: to, args: []string{"x/p", "q/."},
			want: []string{"x/p/a.jpg -> out/p/a.cutout.png", "q/a.jpg -> out/q/a.cutout.png"},
		},
		"no results, no hidden files": {
			tree:  []string{"in/a.jpg", "in/a.cutout.png", "in/a.Mask.PNG", "in/clip.cutout/000001.png", "in/._a.jpg", "in/.trash/b.jpg", "in/.bgremover-1/x.png"},
			names: usual, args: []string{"in"}, want: []string{"in/a.jpg -> in/a.cutout.png"},
		},
		"the output inside the input": {
			tree: []string{"in/a.jpg", "in/out/a.cutout.png", "in/out/b/c.cutout.png"}, names: with(func(n *Naming) { n.To = "in/out" }), args: []string{"in"},
			want: []string{"in/a.jpg -> in/out/a.cutout.png"},
		},
		"names that differ in their endings": {
			tree: []string{"in/a.jpg", "in/a.png", "in/a.jpg.png", "in/b.jpg"}, names: usual, args: []string{"in"},
			want: []string{"in/a.jpg -> in/a.jpg.cutout.png", "in/a.jpg.png -> in/a.jpg.png.cutout.png", "in/a.png -> in/a.png.cutout.png", "in/b.jpg -> in/b.cutout.png"},
		},
		"a loop of links": {
			tree: []string{"in/a.jpg", "in/b/again -> ..", "in/b/self -> self", "in/b/gone.jpg -> nowhere", "in/c -> b"}, names: usual, args: []string{"in"},
			want: []string{"in/a.jpg -> in/a.cutout.png", "in/b/gone.jpg -> in/b/gone.cutout.png"}, // which will fail
		},
		"links to photos and folders": {
			tree: []string{"far/b.jpg", "far/c/d.jpg", "in/a.jpg -> ../far/b.jpg", "in/c -> ../far/c"}, names: usual, args: []string{"in"},
			want: []string{"in/a.jpg -> in/a.cutout.png", "in/c/d.jpg -> in/c/d.cutout.png"},
		},
		"videos only if asked for": {
			tree: []string{"in/a.jpg", "in/a.mp4"}, names: usual, args: []string{"in"}, want: []string{"in/a.jpg -> in/a.cutout.png"},
		},
		"videos": {
			tree: []string{"in/a.jpg", "in/a.mp4"}, names: with(func(n *Naming) { n.Videos = true }), args: []string{"in"},
			want: []string{"in/a.jpg -> in/a.cutout.png", "in/a.mp4 -> in/a.cutout.mov"},
		},
		"a file, also in its folder": {
			tree: []string{"in/a.jpg"}, names: usual, args: []string{"in/a.jpg", "in"}, want: []string{"in/a.jpg -> in/a.cutout.png"},
		},
		"a file to a file":             {tree: []string{"a.jpg"}, names: to, args: []string{"a.jpg"}, want: []string{"a.jpg -> out"}},
		"a file to a folder":           {tree: []string{"a.jpg"}, names: with(func(n *Naming) { n.To = "out/" }), args: []string{"a.jpg"}, want: []string{"a.jpg -> out/a.cutout.png"}},
		"a folder of one to a folder":  {tree: []string{"in/a.jpg"}, names: to, args: []string{"in"}, want: []string{"in/a.jpg -> out/a.cutout.png"}},
		"standard input":               {names: usual, args: []string{"-"}, want: []string{"- -> -"}},
		"what is not there, as it was": {names: usual, args: []string{"a.jpg"}, want: []string{"a.jpg -> a.cutout.png"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, problems := found(t, tree(t, c.tree...), c.names, c.args...); !slices.Equal(got, c.want) || problems != nil {
				t.Errorf("got\n%s\nproblems %q", strings.Join(got, "\n"), problems)
			}
		})
	}
}

func TestFilesWhoseResultsWouldBeTheSame(t *testing.T) {
	n := usual
	n.To = "out"
	got, problems := found(t, tree(t, "x/a.jpg", "y/a.jpg"), n, "x/a.jpg", "y/a.jpg")
	if len(got) != 1 || len(problems) != 1 || !strings.Contains(problems[0], "y/a.jpg: its result would be out/a.cutout.png, as is that of x/a.jpg") {
		t.Errorf("%q, %q", got, problems)
	}
}

// TestNoResultIsAnInputOrAnother: whatever a folder holds, each of its photos has a
// result of its own, which is never taken for a photo later.
func TestNoResultIsAnInputOrAnother(t *testing.T) {
	name := rapid.StringMatching(`[ab](\.cutout|\.mask|\.jpg|\.png)?(\.jpg|\.PNG|\.png|\.webp)`)
	folder := filepath.Join(t.TempDir(), "photos")
	rapid.Check(t, func(t *rapid.T) {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(folder)
		for _, name := range rapid.SliceOfN(name, 1, 8).Draw(t, "names") {
			if err := os.WriteFile(filepath.Join(folder, name), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		before, problems := Find(t.Context(), []string{folder}, usual)
		seen := map[string]bool{}
		for _, f := range before {
			if seen[f.Target] {
				t.Fatalf("%s is the result of two photos", f.Target)
			}
			seen[f.Target] = true
		}
		for _, f := range before {
			if err := Write(f.Target, []byte("x"), true); err != nil {
				t.Fatal(err)
			}
			if !f.Done() {
				t.Fatalf("%s is not done", f.Path)
			}
		}
		after, more := Find(t.Context(), []string{folder}, usual)
		if !slices.Equal(before, after) || len(problems)+len(more) > 0 {
			t.Fatalf("at first %v, %v; then %v, %v", before, problems, after, more)
		}
	})
}

func TestDoneMeansAsNewAsThePhoto(t *testing.T) {
	root := tree(t, "a.jpg", "a.cutout.png")
	f := File{Path: filepath.Join(root, "a.jpg"), Target: filepath.Join(root, "a.cutout.png")}
	now := time.Now()
	for name, c := range map[string]struct {
		photo, result time.Time
		done          bool
	}{
		"newer": {now, now.Add(time.Hour), true}, "of the same time": {now, now, true}, "older": {now, now.Add(-time.Second), false},
	} {
		if err := os.Chtimes(f.Path, time.Time{}, c.photo); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(f.Target, time.Time{}, c.result); err != nil {
			t.Fatal(err)
		}
		if f.Done() != c.done {
			t.Errorf("%s: %v", name, f.Done())
		}
	}
	// A camera with its clock ahead.
	if err := os.Chtimes(f.Path, time.Time{}, now.Add(48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if Date(f); !f.Done() {
		t.Error("a photo of tomorrow is never done")
	}
	if f.Target = filepath.Join(root, "none.png"); f.Done() {
		t.Error("done without a result")
	}
}

func TestResultsAreWrittenWholeOrNotAtAll(t *testing.T) {
	folder := t.TempDir()
	target := filepath.Join(folder, "deep", "a.png")
	if err := Write(target, []byte("one"), false); err != nil {
		t.Fatal(err)
	}
	if err := Write(target, []byte("two"), false); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Error(err)
	}
	if content, _ := os.ReadFile(target); string(content) != "one" {
		t.Errorf("holds %q", content)
	}
	if err := Write(target, []byte("three"), true); err != nil {
		t.Error(err)
	}
	p, err := Begin(target, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Path, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if content, _ := os.ReadFile(target); string(content) != "three" {
		t.Errorf("while another is written it holds %q", content)
	}
	p.Drop()
	entries, _ := os.ReadDir(filepath.Dir(target))
	if content, _ := os.ReadFile(target); len(entries) != 1 || string(content) != "three" {
		t.Errorf("left: %v, %q", entries, content)
	}
	// What appears meanwhile stays.
	late, err := Begin(target+"2", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{late.Path, target + "2"} {
		if err := os.WriteFile(path, []byte(fmt.Sprint(path == late.Path)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := late.Finish(); err == nil {
		t.Error("replaced what appeared meanwhile")
	}
	if content, _ := os.ReadFile(target + "2"); string(content) != "false" {
		t.Errorf("holds %q", content)
	}
	if err := Write("/dev/null", []byte("x"), true); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode().IsRegular() {
		t.Error("a device was replaced by a file")
	}
}

func TestFoldersOfFramesAreReplacedAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "clip.cutout")
	write := func() error {
		p, err := Begin(folder, true)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Drop()
		if err := os.Mkdir(p.Path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.Path, "000001.png"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return p.Finish()
	}
	for range 2 {
		if err := write(); err != nil {
			t.Error(err)
		}
	}
	mine := filepath.Join(folder, "letter.txt")
	if err := os.WriteFile(mine, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(); err == nil {
		t.Error("a folder with other files was replaced")
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
}
