package accesslog

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pass lets time go by inside a synctest bubble, whose clock is not ours.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// TestFortyDays runs the clock for 40 days, hour by hour, with and without
// traffic, and looks at every line that is left.
func TestFortyDays(t *testing.T) {
	for _, c := range []struct {
		days int
		gzip bool
		busy func(hour int) bool
	}{
		{30, false, func(int) bool { return true }},
		{30, true, func(int) bool { return true }},
		{30, false, func(hour int) bool { return hour < 30 }}, // then nobody comes
		{30, true, func(hour int) bool { return hour < 30 }},
		{7, false, func(hour int) bool { return hour%50 == 0 }},
		{1, true, func(int) bool { return true }},
	} {
		t.Run(fmt.Sprintf("days=%d,gzip=%t", c.days, c.gzip), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				l := start(t, Options{Settings: Settings{Format: "combined", IP: "full", Days: c.days, Gzip: c.gzip}, Mode: "file", Dir: dir})
				lines := 0
				for hour := range 40*24 + 12 {
					if c.busy(hour) {
						e := entry()
						e.Time = time.Now()
						l.Log(e)
						lines++
					}
					pass(time.Hour)
					checkAges(t, dir, time.Duration(c.days)*day)
				}
				if c.busy(39*24) && len(list(t, dir)) == 0 {
					t.Error("all lines are gone")
				}
				if !c.busy(40*24-1) && c.days == 30 && len(list(t, dir)) != 0 {
					t.Errorf("left after 40 quiet days: %v", list(t, dir))
				}
				if s := l.Status(); s.Dropped != 0 || s.Written != int64(lines) || s.Err != nil {
					t.Errorf("of %d lines %d were written and %d dropped: %v", lines, s.Written, s.Dropped, s.Err)
				}
				end(t, l)
			})
		})
	}
}

func checkAges(t *testing.T, dir string, limit time.Duration) {
	t.Helper()
	for _, name := range list(t, dir) {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var r io.Reader = f
		if strings.HasSuffix(name, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for lines := bufio.NewScanner(r); lines.Scan(); {
			_, rest, _ := strings.Cut(lines.Text(), "[")
			stamp, _, _ := strings.Cut(rest, "]")
			at, err := time.Parse("02/Jan/2006:15:04:05 -0700", stamp)
			if err != nil {
				t.Fatal(err)
			}
			if age := time.Since(at); age > limit {
				t.Fatalf("%s holds a line of %v, the limit is %v", name, age, limit)
			}
		}
		f.Close()
	}
}

// TestSweep starts among files of all kinds; modification times lie on purpose.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	name := func(age int, ending string) string {
		return newFiles("", "access").of(time.Now().AddDate(0, 0, -age)) + ending
	}
	foreign := []string{"access-other-app.log", "access.other.log", "access.20200101.log.bak", "access.20209999.log", "notes.txt", "xaccess.20200101.log"}
	young := []string{name(0, ""), name(28, ""), name(3, ".2"), name(5, ".gz")}
	old := []string{name(29, ""), name(400, ""), name(30, ".1"), name(31, ".gz"), name(40, ".3.gz"),
		name(2, "_lock"), name(0, "_symlink"), name(2, ".gz.tmp"), name(90, "_lock"), ".new-1234"}
	for _, n := range slices.Concat(foreign, young, old) {
		path := filepath.Join(dir, n)
		if err := os.WriteFile(path, []byte("x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		stamp := time.Now() // an old file that looks new
		if slices.Contains(foreign, n) || slices.Contains(young, n) {
			stamp = time.Unix(0, 0) // a new one that looks old
		}
		if err := os.Chtimes(path, stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "access.20200202.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	foreign = append(foreign, "access.20200202.log")

	l := start(t, Options{Settings: combined, Mode: "off", Dir: dir})
	defer end(t, l)
	want := slices.Sorted(slices.Values(slices.Concat(foreign, young)))
	if got := list(t, dir); !slices.Equal(got, want) {
		t.Errorf("left:\n%v\nwant:\n%v", got, want)
	}
	s := l.Status()
	if s.Err != nil || s.Files != len(young) || s.Bytes != int64(2*len(young)) || time.Since(s.Oldest) < 28*day {
		t.Errorf("status = %+v", s)
	}
}

func TestFewerDaysActAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := start(t, Options{Settings: combined, Mode: "file", Dir: dir})
		for range 10 {
			l.Log(entry())
			pass(day)
		}
		before := len(list(t, dir))
		s := combined
		s.Days = 3
		if err := l.Configure(s); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := len(list(t, dir)); before != 10 || got >= 3 {
			t.Errorf("%d files, then %d", before, got)
		}
		end(t, l)
	})
}

// TestFilesMovedAway renames the file and the folder under the writer.
func TestFilesMovedAway(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	f := newFiles(dir, "access")
	defer f.Close()
	write := func() {
		t.Helper()
		if _, err := f.Write([]byte("line\n")); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, newFiles("", "access").of(time.Now()))
	for _, move := range []func() error{
		func() error { return os.Rename(path, path+".moved") },
		func() error { return os.Rename(dir, dir+".moved") },
		func() error { return os.Remove(path) },
		func() error { return os.WriteFile(path+"_lock", nil, 0o600) },
		func() error { return os.Remove(path) },
	} {
		write()
		if err := move(); err != nil {
			t.Fatal(err)
		}
		write()
		content, err := os.ReadFile(path)
		if err != nil || !strings.HasSuffix(string(content), "line\n") {
			t.Errorf("%q, %v", content, err)
		}
	}
	if got := list(t, dir); len(got) != 1 {
		t.Errorf("files = %v", got)
	}
}

func TestFilesFromTheFuture(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, n := range []string{"access.20400101.log", "access.20400102.log.gz", "access.20261123.log.1"} {
		if err := os.WriteFile(filepath.Join(dir, n), []byte(n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for from, want := range map[string]string{"access.20400101.log": "access.20261123.log.2", "access.20400102.log.gz": "access.20261123.log.1.gz"} {
		ending := filepath.Ext(from)
		if ending == ".log" {
			ending = ""
		}
		if err := newFiles(dir, "access").redate(from, ending, now); err != nil || !slices.Contains(list(t, dir), want) {
			t.Errorf("%s did not become %s, but %v: %v", from, want, list(t, dir), err)
		}
	}
	if err := newFiles(dir, "access").redate("access.20261123.log.1", "", time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)); len(list(t, dir)) != 3 || err != nil {
		t.Errorf("a clock at its start renamed a file: %v, %v", list(t, dir), err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "access.20261123.log.1"))
	if err != nil || string(content) != "access.20261123.log.1" {
		t.Errorf("overwritten: %q, %v", content, err)
	}
}

// TestAnotherName: a log of another name has the same folder, the same retention, and
// does not touch the files of the access log.
func TestAnotherName(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().UTC().AddDate(0, 0, -31).Format(dayForm)
	for _, name := range []string{"operator." + old + ".log", "access." + old + ".log"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("old\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := New(Options{Mode: "file", Name: "operator", Dir: dir, Settings: Settings{Format: "json", IP: "none", Days: 30}})
	if err != nil {
		t.Fatal(err)
	}
	l.Line([]byte("{\"action\":\"reload\"}\n"))
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	today := "operator." + time.Now().UTC().Format(dayForm) + ".log"
	if text, err := os.ReadFile(filepath.Join(dir, today)); err != nil || string(text) != "{\"action\":\"reload\"}\n" {
		t.Errorf("%q, %v", text, err)
	}
	if got := list(t, dir); slices.Contains(got, "operator."+old+".log") || !slices.Contains(got, "access."+old+".log") {
		t.Errorf("the folder holds %q", got)
	}
}
