package batch

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// finished reports whether nobody writes to a file any more. Linux grants a lease on
// a file only while it is open for writing nowhere; where it has no leases, as on
// network file systems and for other users' files, the file must have been unchanged
// for a while.
func finished(path string, info fs.FileInfo) bool {
	file, err := os.Open(path)
	if err != nil {
		return unchanged(info)
	}
	defer file.Close()
	_, err = unix.FcntlInt(file.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	switch {
	case err == nil:
		_, _ = unix.FcntlInt(file.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
		return true
	case errors.Is(err, unix.EAGAIN):
		return false
	}
	return unchanged(info)
}
