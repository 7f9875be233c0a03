package batch

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestAFolderThatCannotBeReadIsReported(t *testing.T) {
	root := tree(t, "in/a/1.jpg", "in/b/2.jpg", "in/c/3.jpg")
	for dir := root; dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(root, "in/b"), 0); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // to whom everything is readable
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Setfsuid(0) }()
	}
	got, problems := found(t, root, usual, "in")
	if want := []string{"in/a/1.jpg -> in/a/1.cutout.png", "in/c/3.jpg -> in/c/3.cutout.png"}; !slices.Equal(got, want) {
		t.Errorf("found %q", got)
	}
	if len(problems) != 1 || !strings.HasPrefix(problems[0], "in/b: ") || !strings.Contains(problems[0], "permission denied") {
		t.Errorf("problems %q", problems)
	}
}
