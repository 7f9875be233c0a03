// Package accesslog writes down who asked for what, in files of one day each,
// and sees to it that no line grows old: files end by the day in their name,
// whether anybody visits or not. A request never waits for it and never fails
// because of it; what cannot be written is dropped and counted.
package accesslog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Entry is one request and its answer.
type Entry struct {
	Time      time.Time // when it came
	Addr      netip.Addr
	Method    string
	URL       string // what follows a '?' is not written down
	Proto     string
	Status    int
	Bytes     int64
	Duration  time.Duration
	UserAgent string
	ID        string // of the request; in JSON only
}

// Settings may change while running.
type Settings struct {
	Format string // "combined" or "json"
	IP     string // "full", "truncated" (IPv4 /24, IPv6 /48) or "none"
	// Days, 1 to 30, is the age that no line reaches: today's file and those of
	// so many days less one before it are kept.
	Days int
	Gzip bool // compress the files of past days
}

// Options say where lines go.
type Options struct {
	Settings
	// Mode is "file", "stdout" or "off". Old files are removed in each.
	Mode   string
	Dir    string
	Stdout io.Writer
	Log    *slog.Logger
}

const (
	buffered = 8192    // lines; more are dropped
	batch    = 1 << 16 // bytes written at once
)

// Logger writes entries. It is safe for concurrent use; Close ends its two
// goroutines.
type Logger struct {
	settings atomic.Pointer[Settings]
	mode     string
	lines    chan []byte
	out      io.WriteCloser // nil where the mode is off
	files    *files
	log      *slog.Logger

	written, dropped atomic.Int64
	failing          bool // the writer's own: told once per failure
	status           atomic.Pointer[sweep]
	wake             chan struct{}
	stop             chan struct{}
	stopOnce         sync.Once
	done             sync.WaitGroup
}

// New starts a logger. It fails for settings out of range and for a folder
// whose path the rotation would misread; one that cannot be written to is no
// failure, only lost lines.
func New(o Options) (*Logger, error) {
	if strings.ContainsAny(o.Dir, `%[]*?\`) {
		return nil, fmt.Errorf(`the log folder %q has one of %%[]*?\ in its path, which the log rotation would read as a pattern`, o.Dir)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l := &Logger{mode: o.Mode, lines: make(chan []byte, buffered), files: &files{dir: o.Dir}, log: o.Log,
		wake: make(chan struct{}, 1), stop: make(chan struct{})}
	switch o.Mode {
	case "file":
		l.out = l.files
	case "stdout":
		l.out = unclosed{o.Stdout}
	case "off":
	default:
		return nil, fmt.Errorf("access log mode %q is none of file, stdout, off", o.Mode)
	}
	if err := l.Configure(o.Settings); err != nil {
		return nil, err
	}
	l.sweep() // before the first line, so that nothing stale is in its way
	l.done.Go(l.write)
	l.done.Go(l.keep)
	return l, nil
}

type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// Configure changes the settings, from the next line on.
func (l *Logger) Configure(s Settings) error {
	if s.Days < 1 || s.Days > 30 {
		return fmt.Errorf("access log lines are kept for 1 to 30 days, not %d", s.Days)
	}
	if s.Format != "combined" && s.Format != "json" {
		return fmt.Errorf("access log format %q is neither combined nor json", s.Format)
	}
	if s.IP != "full" && s.IP != "truncated" && s.IP != "none" {
		return fmt.Errorf("access log address %q is none of full, truncated, none", s.IP)
	}
	l.settings.Store(&s)
	select {
	case l.wake <- struct{}{}: // fewer days may mean that files go now
	default:
	}
	return nil
}

// Log takes an entry. It returns at once.
func (l *Logger) Log(e Entry) {
	if l.out == nil {
		return
	}
	select {
	case l.lines <- e.line(l.settings.Load()):
	default:
		l.dropped.Add(1)
	}
}

// Close writes what is still buffered, for as long as ctx lasts, and sweeps
// once more. Lines that come later are dropped.
func (l *Logger) Close(ctx context.Context) error {
	l.stopOnce.Do(func() { close(l.stop) })
	ended := make(chan struct{})
	go func() {
		l.done.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("the access log could not be written to its end"), ctx.Err())
	}
}
