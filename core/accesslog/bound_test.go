package accesslog

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func content(t *testing.T, dir string, day time.Time) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, newFiles("", "access").of(day)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestADayHasABound: beyond the day's bytes nothing is written but one line
// that says so, not even after a restart; the next day begins with the number
// of lines that are missing.
func TestADayHasABound(t *testing.T) {
	for _, format := range []string{"combined", "json"} {
		t.Run(format, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said bytes.Buffer
				dir, bound := t.TempDir(), int64(20_000)
				o := Options{Settings: Settings{Format: format, IP: "full", Days: 30, DayBytes: bound}, Mode: "file", Dir: dir,
					Log: slog.New(slog.NewTextHandler(&said, nil))}
				l := start(t, o)
				for i := range 500 {
					e := entry()
					e.Addr = netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})
					l.Log(e)
				}
				pass(time.Second)
				first := l.Status()
				whole := content(t, dir, time.Now())
				if int64(len(whole)) > bound+longest || len(whole) < int(bound)-longest || first.Overfull != 501-first.Written || first.Dropped != 0 {
					t.Errorf("%d bytes in the file, %d written, %d dropped", len(whole), first.Written, first.Overfull)
				}
				if n := strings.Count(whole, "bgremover: the limit of 20000 bytes for this day is reached"); n != 1 || !strings.Contains(said.String(), "has reached access_log_day_size") {
					t.Errorf("said %d times in the log; the server says %s", n, &said)
				}
				end(t, l)

				l = start(t, o) // a restart gives no new bytes
				l.Log(entry())
				pass(time.Second)
				if again := content(t, dir, time.Now()); len(again) > len(whole)+longest || l.Status().Overfull != 1 {
					t.Errorf("after a restart the file has %d bytes more", len(again)-len(whole))
				}
				pass(day)
				l.Log(entry())
				pass(time.Second)
				if next := content(t, dir, time.Now()); !strings.Contains(next, "bgremover: 1 lines of 20000101 were dropped") || strings.Count(next, "\n") != 2 {
					t.Errorf("the next day: %s", next)
				}
				end(t, l)
			})
		})
	}
}

// TestAFloodIsSampled: one address sends a hundred times what is kept of it;
// another one's few lines are all kept.
func TestAFloodIsSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := start(t, Options{Settings: combined, Mode: "file", Dir: dir})
		quiet, flooding := entry(), entry()
		quiet.Addr, flooding.Addr = netip.MustParseAddr("198.51.100.4"), netip.MustParseAddr("2001:db8::1")
		for i := range 100_000 {
			flooding.Addr = flooding.Addr.Next() // within its /64
			l.Log(flooding)
			if i%10_000 == 0 {
				l.Log(quiet)
				synctest.Wait()
			}
		}
		pass(20 * time.Second)
		l.Log(quiet)
		end(t, l)
		text := content(t, dir, time.Now())
		s := l.Status()
		if kept := strings.Count(text, "2001:db8::"); kept != 1990+1 || s.Flooded != 98_010 || s.Dropped != 0 {
			t.Errorf("%d lines of the flood, %d sampled out, %d lost", kept, s.Flooded, s.Dropped)
		}
		if kept := strings.Count(text, "198.51.100.4 "); kept != 11 {
			t.Errorf("%d of 11 lines of another visitor", kept)
		}
		if !strings.Contains(text, `2001:db8:: - - [`) || !strings.Contains(text, `"- - -" 0 0 "-" "bgremover: 98010 more lines of this address were dropped within 10s" 0.000`) {
			t.Error("no line tells how many are missing")
		}
	})
}

// TestAFloodUntilTheEnd: what the last window dropped is reported at the end.
func TestAFloodUntilTheEnd(t *testing.T) {
	var out bytes.Buffer
	l := start(t, Options{Settings: Settings{Format: "combined", IP: "none", Days: 1}, Mode: "stdout", Stdout: &out})
	for range 1050 {
		l.Log(entry())
	}
	end(t, l)
	if !strings.Contains(out.String(), "50 more lines") || strings.Contains(out.String(), "203.0.113") {
		t.Error("not reported, or with an address that must not be logged")
	}
}

// TestManyFloodsMakeFewNotes: a great many addresses flood at once.
func TestManyFloodsMakeFewNotes(t *testing.T) {
	var out bytes.Buffer
	l := start(t, Options{Settings: combined, Mode: "stdout", Stdout: &out})
	leftOut := map[netip.Prefix]int{}
	for i := range 5000 {
		leftOut[netip.MustParsePrefix(fmt.Sprintf("10.%d.%d.1/32", i/256, i%256))] = 2
	}
	l.noteFloods(leftOut)
	end(t, l)
	if n := strings.Count(out.String(), "\n"); n != mostNotes+1 || !strings.Contains(out.String(), "9800 more lines of other addresses") {
		t.Errorf("%d lines: %s", n, out.String())
	}
}
