package backend

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// sockets is a folder that only this user may enter, with a path short enough
// for a socket in it. go-plugin would leave sockets of killed processes in the
// common temporary folder.
type sockets struct {
	path string
	lock *os.File // held until this server ends, even if it is killed
}

const (
	socketFolder = "bgremover-"
	lockFile     = "owner"
	// maxSocketDir leaves room for "/plugin" and a random number in the 104 bytes
	// that the smallest system allows a socket's path.
	maxSocketDir = 80
)

// socketParents lists the folders that may contain it, best first.
func socketParents(preferred string) []string {
	return []string{preferred, os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/dev/shm"}
}

func newSockets(preferred string) (*sockets, error) {
	var problems []error
	for _, parent := range socketParents(preferred) {
		if parent == "" {
			continue
		}
		dir, err := os.MkdirTemp(parent, socketFolder)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		dir, err = filepath.Abs(dir)
		if err == nil && len(dir) > maxSocketDir {
			err = fmt.Errorf("the path %s is too long for a socket", parent)
		}
		var lock *os.File
		if err == nil {
			lock, err = lockFolder(dir)
		}
		if err == nil {
			return &sockets{dir, lock}, nil
		}
		_ = os.RemoveAll(dir)
		problems = append(problems, err)
	}
	return nil, errors.Join(problems...)
}

// lockFolder marks a folder as in use by a running server. The lock file gets its
// name once it is locked, so that nobody finds it unlocked while the server runs.
func lockFolder(dir string) (*os.File, error) {
	lock, err := os.CreateTemp(dir, lockFile)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), os.Rename(lock.Name(), filepath.Join(dir, lockFile))); err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

func (s *sockets) remove() {
	_ = os.RemoveAll(s.path)
	_ = s.lock.Close()
}

// sweepSockets removes the folders that killed servers left behind and returns
// their number: those of this user whose lock nobody holds, with nothing but
// sockets in them.
func sweepSockets(preferred string) (swept int) {
	for _, parent := range socketParents(preferred) {
		if parent == "" {
			continue
		}
		found, _ := filepath.Glob(filepath.Join(parent, socketFolder+"*"))
		for _, dir := range found {
			if abandoned(dir) && os.RemoveAll(dir) == nil {
				swept++
			}
		}
	}
	return swept
}

func abandoned(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Getuid() {
		return false
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if e.Name() != lockFile && e.Type() != fs.ModeSocket {
			return false
		}
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer lock.Close()
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
