package model

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lock keeps two processes from doing the same work on one data folder at once. The
// second waits, and then finds the work done.
func (s *Store) lock(ctx context.Context, what string) (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, folderMode); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(s.dir, "."+what+".lock"), os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			file.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
