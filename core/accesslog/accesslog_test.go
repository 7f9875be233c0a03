package accesslog

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var combined = Settings{Format: "combined", IP: "full", Days: 30}

func entry() Entry {
	return Entry{
		Request: Request{ID: "r1", Method: "POST", Status: 200, Sent: 4711, Time: time.Date(2026, 11, 23, 13, 14, 15, 0, time.FixedZone("", 3600)), Duration: 1234 * time.Millisecond},
		Addr:    netip.MustParseAddr("203.0.113.77"), URL: "/device/cutouts?upload=x", Proto: "HTTP/1.1", UserAgent: "curl/8",
	}
}

func TestForms(t *testing.T) {
	v6 := entry()
	v6.Addr = netip.MustParseAddr("2001:db8:1:2:3::4%eth0")
	mapped := entry()
	mapped.Addr = netip.MustParseAddr("::ffff:203.0.113.77")
	for _, c := range []struct {
		name     string
		settings Settings
		entry    Entry
		want     string
	}{
		{"combined", combined, entry(), `203.0.113.77 - - [23/Nov/2026:12:14:15 +0000] "POST /device/cutouts HTTP/1.1" 200 4711 "-" "curl/8" 1.234`},
		{"truncated", Settings{Format: "combined", IP: "truncated"}, entry(), `203.0.113.0 - - [`},
		{"truncated IPv6", Settings{Format: "combined", IP: "truncated"}, v6, `2001:db8:1:: - - [`},
		{"truncated, mapped", Settings{Format: "combined", IP: "truncated"}, mapped, `203.0.113.0 - - [`},
		{"omitted", Settings{Format: "combined", IP: "none"}, entry(), `- - - [`},
		{"no address", combined, Entry{}, `- - - [01/Jan/0001:00:00:00 +0000] "- - -" 0 0 "-" "-" 0.000`},
		{"json", Settings{Format: "json", IP: "full"}, entry(),
			`{"time":"2026-11-23T12:14:15Z","ip":"203.0.113.77","method":"POST","url":"/device/cutouts","proto":"HTTP/1.1","status":200,"bytes":4711,"duration":1.234,"user_agent":"curl/8","request_id":"r1"}`},
	} {
		if got := string(c.entry.line(&c.settings)); !strings.HasPrefix(got, c.want) || !strings.HasSuffix(got, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

var combinedLine = regexp.MustCompile(`^\S+ - - \[[^\]]+\] "[!#-\[\]-~\\x]* ?[ -!#-~]*" \d+ \d+ "-" "[ -!#-~]*" \d+\.\d{3}\n$`)

// longest is more than any line of the combined form takes.
const longest = 750

func FuzzNobodyWritesLinesOfTheirOwn(f *testing.F) {
	f.Add("GET", "/", "HTTP/1.1", "Mozilla")
	f.Add("GET\n", "/\r\nx\u2028", "\x1b[31m\x00", `" 200 1 "-" "forged\`)
	f.Add("", strings.Repeat("é", 5000), "", strings.Repeat("\xff", 5000))
	f.Fuzz(func(t *testing.T, method, url, proto, agent string) {
		e := Entry{Request: Request{Method: method}, URL: url, Proto: proto, UserAgent: agent}
		line := e.line(&combined)
		if !combinedLine.Match(line) || countLines(line) != 1 || len(line) > longest {
			t.Errorf("%q", line)
		}
		line = e.line(&Settings{Format: "json"})
		var back struct {
			UserAgent string `json:"user_agent"`
		}
		if err := json.Unmarshal(line, &back); err != nil || len(line) > 2*longest || countLines(line) != 1 || bytes.ContainsAny(line[:len(line)-1], "\r\n\x1b\x00\u2028") {
			t.Errorf("%q: %v", line, err)
		}
	})
}

func TestLinesReachTheirFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	l := start(t, Options{Settings: combined, Mode: "file", Dir: dir})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			e := entry()
			e.Addr = netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}) // no flood of one address
			for range 1000 {
				l.Log(e)
			}
		})
	}
	wg.Wait()
	end(t, l)
	names := list(t, dir)
	if len(names) != 1 || !newFiles("", "access").ours.MatchString(names[0]) {
		t.Fatalf("files = %v", names)
	}
	content, err := os.ReadFile(filepath.Join(dir, names[0]))
	if err != nil {
		t.Fatal(err)
	}
	s := l.Status()
	if s.Written != countLines(content) || s.Written+s.Dropped != 4000 || s.Written < 1000 {
		t.Errorf("%d lines in the file; %d written, %d dropped", countLines(content), s.Written, s.Dropped)
	}
	for _, path := range []string{dir, filepath.Join(dir, names[0])} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v", path, info.Mode())
		}
	}
	l.Log(entry()) // too late, and no harm
}

func TestStdout(t *testing.T) {
	var out bytes.Buffer
	dir := t.TempDir()
	l := start(t, Options{Settings: combined, Mode: "stdout", Stdout: &out, Dir: dir})
	l.Log(entry())
	end(t, l)
	if countLines(out.Bytes()) != 1 || len(list(t, dir)) != 0 {
		t.Errorf("%q, %v", out.String(), list(t, dir))
	}
}

// TestNobodyWaits logs to a writer that blocks.
func TestNobodyWaits(t *testing.T) {
	read, write := io.Pipe()
	l := start(t, Options{Settings: combined, Mode: "stdout", Stdout: write})
	for i := range buffered + 2000 {
		e := entry()
		e.Addr = netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})
		l.Log(e)
	}
	if s := l.Status(); s.Dropped < 1000 {
		t.Errorf("%d dropped", s.Dropped)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Close(gone); err == nil {
		t.Error("Close does not say that lines were lost")
	}
	read.Close()
	end(t, l)
}

func TestSettingsOutOfRange(t *testing.T) {
	for name, o := range map[string]Options{
		"31 days":   {Mode: "off", Settings: Settings{Format: "json", IP: "full", Days: 31}},
		"0 days":    {Mode: "off", Settings: Settings{Format: "json", IP: "full"}},
		"format":    {Mode: "off", Settings: Settings{Format: "xml", IP: "full", Days: 1}},
		"address":   {Mode: "off", Settings: Settings{Format: "json", IP: "half", Days: 1}},
		"mode":      {Mode: "syslog", Settings: combined},
		"percent":   {Mode: "file", Dir: "/tmp/100%data", Settings: combined},
		"bracket":   {Mode: "file", Dir: "/tmp/[x]", Settings: combined},
		"asterisk":  {Mode: "file", Dir: "/tmp/*", Settings: combined},
		"backslash": {Mode: "file", Dir: `/tmp/\`, Settings: combined},
	} {
		if l, err := New(o); err == nil {
			end(t, l)
			t.Errorf("%s was accepted", name)
		}
	}
}

func start(t testing.TB, o Options) *Logger {
	t.Helper()
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func end(t testing.TB, l *Logger) {
	t.Helper()
	if err := l.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func BenchmarkLog(b *testing.B) {
	for _, format := range []string{"combined", "json"} {
		b.Run(format, func(b *testing.B) {
			s := combined
			s.Format = format
			l := start(b, Options{Settings: s, Mode: "file", Dir: b.TempDir()})
			e := entry()
			b.ReportAllocs()
			for b.Loop() {
				l.Log(e)
			}
			end(b, l)
			b.ReportMetric(float64(l.Status().Dropped)/float64(b.N), "dropped/op")
		})
	}
}
