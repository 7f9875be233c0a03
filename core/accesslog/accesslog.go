// Package accesslog writes down who asked for what, in files of one day each,
// and sees to it that no line grows old: files end by the day in their name,
// whether anybody visits or not. A request never waits for it and never fails
// because of it; what cannot be written is dropped and counted. What is written
// has a bound: fields are short, of a flood from one address only some lines are
// kept, and a day takes no more bytes than the settings say.
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

	"bgremover.pro/core/flood"
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
	// DayBytes is what the lines of one day (UTC) may take together; further
	// ones are left out and counted. 0 means no bound.
	DayBytes int64
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

// floods: a page with all its files is some sixty lines, and an office of many
// people behind one address comes to a few hundred in ten seconds.
var floods = flood.Limits{Window: 10 * time.Second, Burst: 1000, Every: 100, Kinds: 10_000}

// Logger writes entries. It is safe for concurrent use; Close ends its two
// goroutines.
type Logger struct {
	settings atomic.Pointer[Settings]
	mode     string
	lines    chan []byte
	out      io.WriteCloser // nil where the mode is off
	files    *files
	log      *slog.Logger

	floods *flood.Sampler[netip.Prefix]
	today  today // the writer's own

	written, dropped  atomic.Int64
	flooded, overfull atomic.Int64 // lines left out: of floods, and beyond a day's bytes
	failing           bool         // the writer's own: told once per failure
	status            atomic.Pointer[sweep]
	wake              chan struct{}
	stop              chan struct{}
	stopOnce          sync.Once
	done              sync.WaitGroup
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
		floods: flood.New[netip.Prefix](floods), wake: make(chan struct{}, 1), stop: make(chan struct{})}
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
	pass, leftOut := l.floods.Pass(sourceOf(e.Addr), time.Now())
	l.noteFloods(leftOut)
	if !pass {
		l.flooded.Add(1)
		return
	}
	l.enqueue(e)
}

func (l *Logger) enqueue(e Entry) {
	select {
	case l.lines <- e.line(l.settings.Load()):
	default:
		l.dropped.Add(1)
	}
}

// sourceOf is what counts as one sender: an IPv4 address or an IPv6 /64.
func sourceOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	p, _ := a.Prefix(min(a.BitLen(), 64)) // the zero Prefix without an address
	return p
}

// mostNotes bounds the lines about one window's floods.
const mostNotes = 100

// noteFloods writes down how many lines of which address are missing.
func (l *Logger) noteFloods(leftOut map[netip.Prefix]int) {
	notes, others := 0, 0
	for source, n := range leftOut {
		if notes++; notes > mostNotes || !source.IsValid() {
			others += n
			continue
		}
		l.enqueue(note(source.Addr(), "%d more lines of this address were left out within %s", n, floods.Window))
	}
	if others > 0 {
		l.enqueue(note(netip.Addr{}, "%d more lines of other addresses were left out within %s", others, floods.Window))
	}
}

// note is a line of ours, in the form of the others, so that whatever reads
// them reads it too.
func note(addr netip.Addr, format string, args ...any) Entry {
	return Entry{Time: time.Now(), Addr: addr, UserAgent: "bgremover: " + fmt.Sprintf(format, args...)}
}

// Close writes what is still buffered, for as long as ctx lasts, and sweeps
// once more. Lines that come later are dropped.
func (l *Logger) Close(ctx context.Context) error {
	l.stopOnce.Do(func() {
		l.noteFloods(l.floods.End())
		close(l.stop)
	})
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
