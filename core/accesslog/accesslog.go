// Package accesslog logs requests in one file a day, and makes sure that no line is
// kept too long: files are removed by the date in their name, whether or not
// anybody visits. A request never waits for the log and never fails because of it;
// lines that cannot be written are dropped and counted. The log is bounded: fields
// are short, only some lines of a flood from one address are kept, and a day takes
// no more bytes than the settings say.
package accesslog

import (
	"cmp"
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

	"bgremover.pro/core/cutout"
	"bgremover.pro/core/flood"
)

// Request is what the server records of a request and its answer, for metrics and
// logs: nothing of their content, and nothing about the sender.
type Request struct {
	// ID is random; log lines and private answers (X-Request-ID) carry it.
	ID     string
	Method string
	// Route is the pattern that matched, such as "/gallery/:id"; "" for none.
	Route  string
	Status int
	// Code is the error's, "" for a success.
	Code cutout.Code
	// Err is the cause of a failure that is the server's fault; nil for others.
	Err error
	// Class is the cache class that the answer went out with: "private",
	// "page", "immutable", "revalidate" or "asset".
	Class    string
	Time     time.Time // of its arrival
	Duration time.Duration
	// Received counts the bytes of the upload, Sent those of the answer's body.
	Received, Sent int64
}

// Entry is one line: a request and who sent it.
type Entry struct {
	Request
	Addr      netip.Addr
	URL       string // what follows a '?' is not logged
	Proto     string
	UserAgent string
}

// Settings and Status are in the vocabulary, because the operator's page shows them.
type (
	Settings = cutout.LogSettings
	Status   = cutout.LogStatus
)

// Options say where lines go.
type Options struct {
	Settings
	// Mode is "file", "stdout" or "off". Old files are removed in each.
	Mode string
	// Name is what the files' names begin with; empty: access.
	Name   string
	Dir    string
	Stdout io.Writer
	Log    *slog.Logger
}

const (
	buffered = 8192    // lines; more are dropped
	batch    = 1 << 16 // bytes written at once
)

// floods: a page with all its files takes about sixty lines, and an office of many
// people behind one address a few hundred in ten seconds.
var floods = flood.Limits{Window: 10 * time.Second, Burst: 1000, Every: 100, Kinds: 10_000}

// Logger writes entries. It is safe for concurrent use; Close ends its two
// goroutines.
type Logger struct {
	settings atomic.Pointer[Settings]
	mode     string
	lines    chan []byte
	out      io.WriteCloser // nil if the mode is off
	files    *files
	log      *slog.Logger

	floods *flood.Sampler[netip.Prefix]
	today  today // used by the writer only

	written, dropped  atomic.Int64
	flooded, overfull atomic.Int64 // lines dropped: of floods, and beyond a day's bytes
	failing           bool         // used by the writer only: each failure is logged once
	status            atomic.Pointer[sweep]
	wake              chan struct{}
	stop              chan struct{}
	stopOnce          sync.Once
	done              sync.WaitGroup
}

// New starts a logger. It fails for settings out of range and for a folder whose
// path the rotation would misread; in a folder that cannot be written to, only
// lines are lost.
func New(o Options) (*Logger, error) {
	if strings.ContainsAny(o.Dir, `%[]*?\`) {
		return nil, fmt.Errorf(`the log folder %q has one of %%[]*?\ in its path, which the log rotation would read as a pattern`, o.Dir)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l := &Logger{mode: o.Mode, lines: make(chan []byte, buffered), files: newFiles(o.Dir, cmp.Or(o.Name, "access")), log: o.Log,
		floods: flood.New[netip.Prefix](floods), wake: make(chan struct{}, 1), stop: make(chan struct{})}
	switch o.Mode {
	case "file":
		l.out = l.files
	case "stdout":
		l.out = unclosed{o.Stdout}
	case "off":
	default:
		return nil, fmt.Errorf("access log mode %q is not one of file, stdout, off", o.Mode)
	}
	if err := l.Configure(o.Settings); err != nil {
		return nil, err
	}
	l.sweep() // before the first line, so that no stale file is in its way
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
		return fmt.Errorf("access log address %q is not one of full, truncated, none", s.IP)
	}
	l.settings.Store(&s)
	select {
	case l.wake <- struct{}{}: // with fewer days, some files may be due now
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

func (l *Logger) enqueue(e Entry) { l.Line(e.line(l.settings.Load())) }

// Line takes a whole line of another kind, with its end. It returns at once.
func (l *Logger) Line(line []byte) {
	if l.out == nil {
		return
	}
	select {
	case l.lines <- line:
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

// noteFloods logs how many lines of which address are missing.
func (l *Logger) noteFloods(leftOut map[netip.Prefix]int) {
	notes, others := 0, 0
	for source, n := range leftOut {
		if notes++; notes > mostNotes || !source.IsValid() {
			others += n
			continue
		}
		l.enqueue(note(source.Addr(), "%d more lines of this address were dropped within %s", n, floods.Window))
	}
	if others > 0 {
		l.enqueue(note(netip.Addr{}, "%d more lines of other addresses were dropped within %s", others, floods.Window))
	}
}

// note is a line about the log itself, in the form of the others, so that every
// log reader can parse it.
func note(addr netip.Addr, format string, args ...any) Entry {
	return Entry{Request: Request{Time: time.Now()}, Addr: addr, UserAgent: "bgremover: " + fmt.Sprintf(format, args...)}
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
		return errors.Join(errors.New("the last lines of the access log could not be written in time"), ctx.Err())
	}
}
