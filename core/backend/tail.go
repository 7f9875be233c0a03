package backend

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	tailBytes = 8 << 10
	// linesASecond bounds what a verbose process may write into our log.
	linesASecond = 50
)

// tail keeps the last bytes that a process wrote to its stderr, and the first line
// of a panic however long it is. Whole lines also go to
// the log: warnings and errors as such, others at level debug.
type tail struct {
	log *slog.Logger

	mu     sync.Mutex
	kept   []byte
	line   []byte // not yet ended
	fatal  string // the first line of the last panic
	window time.Time
	lines  int
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p[max(0, len(p)-tailBytes):]...)
	if len(t.kept) > 2*tailBytes {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-tailBytes:]...)
	}
	for rest := p; ; {
		head, tail, whole := bytes.Cut(rest, []byte("\n"))
		t.line = append(t.line, head[:min(len(head), tailBytes-len(t.line))]...)
		if !whole {
			return len(p), nil
		}
		if dying(string(t.line)) {
			t.fatal = string(t.line)
		}
		t.pass()
		t.line, rest = t.line[:0], tail
	}
}

// pass logs a line, at the level that it gives in the way of log/slog.
func (t *tail) pass() {
	level := slog.LevelDebug
	for _, l := range []slog.Level{slog.LevelWarn, slog.LevelError} {
		if bytes.HasPrefix(t.line, []byte("level="+l.String()+" ")) {
			level = l
		}
	}
	if !t.log.Enabled(context.Background(), level) {
		return
	}
	if now := time.Now(); now.Sub(t.window) > time.Second {
		t.window, t.lines = now, 0
	}
	if t.lines++; t.lines <= linesASecond {
		t.log.Log(context.Background(), level, "backend stderr", "line", string(t.line))
	} else if t.lines == linesASecond+1 {
		t.log.Log(context.Background(), level, "backend writes too much to stderr; dropping the rest of this second")
	}
}

// last returns up to n lines: the last ones, or those from where a panic begins.
func (t *tail) last(n int) []string {
	t.mu.Lock()
	kept, fatal := string(t.kept[max(0, len(t.kept)-tailBytes):]), t.fatal
	t.mu.Unlock()
	kept = strings.ToValidUTF8(strings.TrimRight(kept, "\n"), "?")
	if kept == "" {
		return nil
	}
	lines := strings.Split(kept, "\n")
	if i := slices.IndexFunc(lines, dying); i >= 0 {
		return lines[i:min(len(lines), i+n)]
	}
	if fatal != "" {
		return append([]string{strings.ToValidUTF8(fatal, "?")}, lines[max(0, len(lines)-n+1):]...)
	}
	return lines[max(0, len(lines)-n):]
}

// dying reports whether a line is the first of a runtime's crash report.
func dying(line string) bool {
	return strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") || strings.HasPrefix(line, "SIG")
}

// telling returns the line that says most about why a process ended.
func telling(lines []string) string {
	for _, word := range []string{"panic: ", "fatal error: ", "SIG", "level=ERROR", "Error"} {
		for _, line := range slices.Backward(lines) {
			if strings.Contains(line, word) {
				return line
			}
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}
