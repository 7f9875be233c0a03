package app

import (
	"context"
	"log/slog"
	"time"

	"bgremover.pro/core/flood"
)

// quiet is a handler that bounds the server log: clients can cause lines (a backend
// that is down fails every request), so only some lines of each message pass, and
// long fields are cut. Dropped lines are counted and reported.
type quiet struct {
	slog.Handler
	floods  *flood.Sampler[message]
	leftOut func()
}

// message identifies a kind of line: the texts are constants.
type message struct {
	level slog.Level
	text  string
}

var quietly = flood.Limits{Window: time.Minute, Burst: 60, Every: 1000, Kinds: 200}

// maxField bounds one value of a line, in bytes; a stack fits.
const maxField = 4 << 10

func newQuiet(inner slog.Handler, leftOut func()) *quiet {
	return &quiet{inner, flood.New[message](quietly), leftOut}
}

// Handle implements slog.Handler.
func (q *quiet) Handle(ctx context.Context, r slog.Record) error {
	pass, missing := q.floods.Pass(message{r.Level, r.Message}, time.Now())
	q.report(ctx, missing)
	if !pass {
		q.leftOut()
		return nil
	}
	short := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		short.AddAttrs(shortened(a))
		return true
	})
	return q.Handler.Handle(ctx, short)
}

// report logs how many lines the last window, or the current one, has dropped.
func (q *quiet) report(ctx context.Context, missing map[message]int) {
	for m, n := range missing {
		r := slog.NewRecord(time.Now(), m.level, "log lines dropped", 0)
		r.AddAttrs(slog.String("message", m.text), slog.Int("lines", n))
		_ = q.Handler.Handle(ctx, r) // there is nowhere else to report it
	}
}

// end reports what the current window has dropped.
func (q *quiet) end() { q.report(context.Background(), q.floods.End()) }

// WithAttrs implements slog.Handler.
func (q *quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	short := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		short[i] = shortened(a)
	}
	return &quiet{q.Handler.WithAttrs(short), q.floods, q.leftOut}
}

// WithGroup implements slog.Handler.
func (q *quiet) WithGroup(name string) slog.Handler {
	return &quiet{q.Handler.WithGroup(name), q.floods, q.leftOut}
}

func shortened(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	text := v.String()
	if err, ok := v.Any().(error); ok {
		text = err.Error()
	}
	if len(text) <= maxField || v.Kind() == slog.KindGroup {
		return a
	}
	return slog.String(a.Key, text[:maxField]+"...")
}
