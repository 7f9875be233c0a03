package model

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"bgremover.pro/core/cutout"
)

// plan adds up what installing some items takes, as far as it is known: bytes to download,
// and bytes of the disk, where a package takes space besides its own files.
func plan(items []item, byHand bool) (download, disk int64) {
	var largest int64
	for _, it := range items {
		if !byHand {
			download += it.source.Bytes
			largest = max(largest, it.source.Bytes)
		}
		for _, file := range it.files {
			disk += file.content.Bytes
		}
	}
	return download, disk + largest
}

// room is an error if the disk has less room than is needed.
func (s *Store) room(need int64) error {
	folder := s.dir
	for folder != filepath.Dir(folder) { // the data folder may not exist yet
		if _, err := os.Stat(folder); err == nil {
			break
		}
		folder = filepath.Dir(folder)
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(folder, &disk); err != nil {
		return nil //nolint:nilerr // a full disk is reported later
	}
	free := float64(disk.Bavail) * float64(disk.Bsize)
	if free >= float64(need) {
		return nil
	}
	return cutout.Errorf(cutout.Internal, "The disk that holds %s has %s free; %s are needed. Free some space, or set data_dir to another disk.",
		s.dir, gigabytes(free), gigabytes(float64(need)))
}

func gigabytes(bytes float64) string { return fmt.Sprintf("%.1f GB", bytes/1e9) }
