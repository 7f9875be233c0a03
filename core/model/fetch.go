package model

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"bgremover.pro/core/cutout"
)

// fetch downloads an item's package into the downloads folder; kept reports that it
// was already there.
func (s *Store) fetch(ctx context.Context, it item, progress Progress) (archive string, kept bool, err error) {
	archive = filepath.Join(s.dir, "downloads", it.source.archive())
	if _, err := os.Stat(archive); err == nil {
		if it.source.intact(archive) == nil {
			return archive, true, nil
		}
		s.discard(archive)
	}
	if err := os.MkdirAll(filepath.Dir(archive), folderMode); err != nil {
		return "", false, err
	}
	tell := func(done, total int64) {
		if total == 0 {
			total = it.source.Bytes
		}
		progress(Event{What: it.what, State: Fetching, Done: done, Total: total})
	}
	tell(0, 0)
	switch {
	case it.source.NPM != "":
		err = npmPack(ctx, it.source, archive)
	case it.source.PIP != "":
		err = pipDownload(ctx, it.source, archive, tell)
	default:
		err = s.download(ctx, it.source.URL, archive, tell)
	}
	if err == nil {
		err = it.source.intact(archive)
	}
	if err != nil && ctx.Err() == nil {
		s.discard(archive)
	}
	return archive, false, err
}

// intact compares a download with the package's checksum, if the catalogue has one.
func (p Package) intact(archive string) error {
	if p.Sum == "" {
		return nil
	}
	got, err := digest(archive)
	if err != nil {
		return err
	}
	return got.match(filepath.Base(archive), Content{SHA256: p.Sum})
}

func (s *Store) discard(archive string) {
	_ = os.Remove(archive)
	_ = os.Remove(archive + partial)
	_ = os.Remove(archive + partial + ".json")
	_ = os.Remove(filepath.Dir(archive)) // only if it is empty now
}

// unwritable reports whether the disk is at fault, not the download.
func unwritable(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// explain turns whatever stopped a Pull into one clear sentence.
func explain(ctx context.Context, dir string, err error) error {
	var sentence *cutout.Error
	var unknown *net.DNSError
	var network *net.OpError
	switch {
	case ctx.Err() != nil:
		return cutout.Wrap(cutout.Canceled, ctx.Err(), "Stopped; run it again to continue.")
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return cutout.Wrap(cutout.Internal, err, fmt.Sprintf("The disk that holds %s is full; free some space and try again. No incomplete file was installed.", dir))
	case errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EROFS):
		return cutout.Wrap(cutout.Internal, err, fmt.Sprintf("%s cannot be written to; check its owner and permissions.", dir))
	case errors.As(err, &sentence):
		return err
	case errors.As(err, &unknown) || errors.As(err, &network):
		return cutout.Wrap(cutout.Internal, err, "The network cannot be reached: "+err.Error()+
			". Try again, or copy the files by hand (--from).")
	}
	return cutout.Wrap(cutout.Internal, err, err.Error())
}
