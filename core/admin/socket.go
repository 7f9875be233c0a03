package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// socket is a Unix socket that only its owner may open, which takes the place of a
// token. Close removes its file.
type socket struct {
	net.Listener
	remove func() error
}

// listenSocket makes the socket within a folder that nobody else may enter and
// moves it to its place when its mode is right: at no moment can another user
// connect. A socket that a killed server left behind is replaced, that of a
// running one is not.
func listenSocket(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("%s already exists and is not a socket", path)
		}
		if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
			conn.Close()
			return nil, fmt.Errorf("another server is already listening at %s", path)
		}
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), ".bgremover-") // mode 0700
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	hidden := filepath.Join(folder, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: hidden, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it would remove the temporary name
	if err := errors.Join(os.Chmod(hidden, 0o600), os.Rename(hidden, path)); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	ours, err := os.Lstat(path)
	return &socket{l, sync.OnceValue(func() error {
		if now, _ := os.Lstat(path); now == nil || !os.SameFile(now, ours) {
			return nil // gone, or another server's by now
		}
		return os.Remove(path)
	})}, err
}

// Close ends the listener and removes the file.
func (s *socket) Close() error { return errors.Join(s.Listener.Close(), s.remove()) }
