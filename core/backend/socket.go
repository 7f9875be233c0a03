package backend

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// socketDir makes a folder that only this user may enter, with a path short
// enough for a socket in it. go-plugin would leave sockets of killed processes
// in the common temporary folder.
func socketDir(preferred string) (string, error) {
	var problems []error
	for _, parent := range []string{preferred, os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/dev/shm"} {
		if parent == "" {
			continue
		}
		dir, err := os.MkdirTemp(parent, "bgremover-")
		if err != nil {
			problems = append(problems, err)
			continue
		}
		dir, err = filepath.Abs(dir)
		if err == nil && len(dir) <= maxSocketDir {
			return dir, nil
		}
		_ = os.Remove(dir) //nolint:gosec // made just now
		problems = append(problems, fmt.Errorf("%s is too long for a socket", parent))
	}
	return "", errors.Join(problems...)
}

// maxSocketDir leaves room for "/plugin" and a random number in the 104 bytes
// that the smallest system allows a socket's path.
const maxSocketDir = 80
