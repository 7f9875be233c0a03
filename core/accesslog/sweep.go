package accesslog

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"bgremover.pro/core/atomicfile"
)

// sweep is the outcome of one sweep.
type sweep struct {
	at  time.Time
	err error
}

// Status returns the state of the log. It reads the folder.
func (l *Logger) Status() Status {
	last := l.status.Load()
	s := Status{LogSettings: *l.settings.Load(), Mode: l.mode, Dir: l.files.dir, Written: l.written.Load(), Dropped: l.dropped.Load(),
		Flooded: l.flooded.Load(), Overfull: l.overfull.Load(), Swept: last.at, Err: last.err}
	_ = l.each(func(name string, _ []string, began time.Time) error { // a folder that cannot be read shows in Err
		if info, err := os.Lstat(filepath.Join(l.files.dir, name)); err == nil {
			s.Files++
			s.Bytes += info.Size()
		}
		if s.Oldest.IsZero() || began.Before(s.Oldest) {
			s.Oldest = began
		}
		return nil
	})
	return s
}

// keep sweeps hourly, when a day ends, when settings change and at the end.
func (l *Logger) keep() {
	for {
		now := time.Now()
		timer := time.NewTimer(min(time.Hour, now.UTC().Truncate(day).Add(day).Sub(now)))
		select {
		case <-timer.C:
		case <-l.wake:
		case <-l.stop:
			timer.Stop()
			l.sweep()
			return
		}
		timer.Stop()
		l.sweep()
	}
}

// sweep removes old files.
func (l *Logger) sweep() {
	settings := l.settings.Load()
	l.files.closeDay()
	left, _ := filepath.Glob(filepath.Join(l.files.dir, atomicfile.Temporary)) // New refuses folders whose path is a pattern
	for _, path := range left {
		_ = os.Remove(path)
	}
	err := l.each(func(name string, parts []string, began time.Time) error {
		return l.tidy(name, parts, began, settings)
	})
	if old := l.status.Swap(&sweep{time.Now(), err}); err != nil && (old == nil || old.err == nil) {
		l.log.Error("removing or compressing old access logs failed; trying again within the hour", "error", err)
	}
}

// each visits our files; parts are those of the pattern, began is the day in the name.
func (l *Logger) each(visit func(name string, parts []string, began time.Time) error) error {
	entries, err := os.ReadDir(l.files.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no folder, no lines
	}
	problems := []error{err}
	for _, entry := range entries {
		parts := l.files.ours.FindStringSubmatch(entry.Name())
		if parts == nil || entry.IsDir() {
			continue
		}
		if began, err := time.Parse(dayForm, parts[1]); err == nil {
			problems = append(problems, visit(entry.Name(), parts, began))
		}
	}
	return errors.Join(problems...)
}

// tidy removes, compresses or renames one file if that is due.
func (l *Logger) tidy(name string, parts []string, began time.Time, s *Settings) error {
	path := filepath.Join(l.files.dir, name)
	now := time.Now()
	switch {
	case parts[4] != "": // left behind by a process that was killed
		return os.Remove(path)
	case !began.AddDate(0, 0, max(1, s.Days-1)).After(now):
		return os.Remove(path)
	case began.After(now.Add(day)):
		return l.files.redate(name, parts[3], now)
	case s.Gzip && parts[3] == "" && began.Before(now.UTC().Truncate(day)):
		return compress(l.files.dir, name)
	}
	return nil
}

// redate gives a file dated in the future, which a wrong clock left behind, today's
// date, so that it is removed like others. If the clock is wrong now, as at boot
// without a battery, nothing is renamed.
func (f *files) redate(name, ending string, now time.Time) error {
	if now.Year() < 2026 {
		return nil
	}
	for n := 1; ; n++ {
		renamed := fmt.Sprintf("%s.%d%s", f.of(now), n, ending)
		if _, err := os.Lstat(filepath.Join(f.dir, renamed)); errors.Is(err, fs.ErrNotExist) {
			return os.Rename(filepath.Join(f.dir, name), filepath.Join(f.dir, renamed))
		}
	}
}

// compress replaces a file by its gzip, whole or not at all.
func compress(dir, name string) error {
	path := filepath.Join(dir, name)
	packed := path + ".gz"
	if _, err := os.Lstat(packed); err == nil {
		// Both exist if a process was killed in between, or if the clock went back over
		// midnight; the plain file stays.
		return nil
	}
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := atomicfile.Replace(packed, 0o600, func(to *os.File) error {
		w := gzip.NewWriter(to)
		_, err := io.Copy(w, from)
		return errors.Join(err, w.Close())
	}); err != nil {
		return err
	}
	return os.Remove(path)
}
