package backend

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestBreaker: whatever happens, the next attempt is after the failure and not
// later than the limits say, and the circuit is open exactly after too many
// failures in a row or a permanent one.
func TestBreaker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Restart{Min: time.Second, Max: 10 * time.Second, Failures: rapid.IntRange(1, 6).Draw(t, "failures"),
			Open: time.Minute, Stable: time.Hour}
		b, now, inARow := breaker{}, time.Unix(0, 0), 0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			served := rapid.SampledFrom([]time.Duration{-1, time.Second, 2 * time.Hour}).Draw(t, "served")
			if served >= 0 {
				b.succeed(now)
				now = now.Add(served)
			}
			if inARow++; served >= r.Stable {
				inARow = 1
			}
			f := rapid.SampledFrom([]DownError{{}, {Permanent: true}, {Lacking: true}}).Draw(t, "failure")
			b.fail(now, &f, r)
			wait, longest := b.next.Sub(now), r.Max
			if b.open(r) && !f.Lacking {
				longest = 16 * r.Open
			}
			if wait < r.Min*3/4 || wait > longest*5/4 {
				t.Fatalf("a wait of %v after %d failures", wait, inARow)
			}
			if open := f.Permanent || inARow >= r.Failures; b.open(r) != open {
				t.Fatalf("open is %v after %d failures, %+v", b.open(r), inARow, f)
			}
			now = b.next
		}
	})
}

// TestTail: whatever is written in whatever pieces, the last whole lines are
// kept and memory is bounded.
func TestTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.StringOfN(rapid.SampledFrom([]rune("ab \n")), 0, 3000, -1), 1, 20).Draw(t, "pieces")
		ring := &tail{log: slog.New(slog.DiscardHandler)}
		for _, p := range pieces {
			if n, err := ring.Write([]byte(p)); n != len(p) || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
		}
		if cap(ring.kept) > 8*tailBytes {
			t.Fatalf("%d bytes are held", cap(ring.kept))
		}
		all := strings.TrimRight(strings.Join(pieces, ""), "\n")
		got := strings.Join(ring.last(1000), "\n")
		if len(all) <= tailBytes/2 && got != all || !strings.HasSuffix(all, got) {
			t.Fatalf("got %q of %q", got, all)
		}
	})
}

func TestTailStartsAtPanic(t *testing.T) {
	ring := &tail{log: slog.New(slog.DiscardHandler)}
	fmt.Fprintln(ring, "level=INFO msg=before")
	fmt.Fprintln(ring, "panic: out of luck")
	for i := range 3000 {
		fmt.Fprintln(ring, "\tframe", i)
	}
	lines := ring.last(statusLines)
	if len(lines) != statusLines || lines[0] != "panic: out of luck" || telling(lines) != lines[0] {
		t.Errorf("%q", lines)
	}
}

// TestFreeMemory: the container's limit counts where it is the tighter one.
func TestFreeMemory(t *testing.T) {
	const meminfo = "MemTotal: 8000000 kB\nMemAvailable:    1000000 kB\n"
	tests := map[string]struct {
		files map[string]string
		free  int64
		known bool
	}{
		"no such files": {map[string]string{}, 0, false},
		"machine":       {map[string]string{"proc/meminfo": meminfo}, 1000000 << 10, true},
		"unlimited":     {map[string]string{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": "max\n"}, 1000000 << 10, true},
		"container": {map[string]string{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": "500000000\n",
			"sys/fs/cgroup/memory.current": "400000000\n", "sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 50000000\n"}, 150000000, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir() + "/"
			for file, text := range test.files {
				if err := os.MkdirAll(filepath.Dir(root+file), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(root+file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if free, known := freeMemory(root); free != test.free || known != test.known {
				t.Errorf("%d, %v; want %d, %v", free, known, test.free, test.known)
			}
		})
	}
}

// TestSocketDir: private, short enough, and found even where the preferred
// places cannot be written.
func TestSocketDir(t *testing.T) {
	good, long := t.TempDir(), filepath.Join(t.TempDir(), strings.Repeat("x", 90))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", "/proc/nothing")
	t.Setenv("XDG_RUNTIME_DIR", "")
	for _, preferred := range []string{good, "/proc/nothing", long} {
		made, err := newSockets(preferred)
		if err != nil {
			t.Fatal(err)
		}
		defer made.remove()
		dir := made.path
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 || len(dir) > maxSocketDir {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
}

// BenchmarkBoundary prints what a call costs beside the work in the process:
// 3 MB there, 1 MB back, with TLS.
func BenchmarkBoundary(b *testing.B) {
	o := patient(b, fake("one", "-mask", "full"))
	o.Models = append(o.Models[:0], testModel(b, "first", 1024))
	m := started(b, o)
	in := picture(1024)
	var inside, outside time.Duration
	for b.Loop() {
		start := time.Now()
		_, run, err := segment(b.Context(), m, "", "", in)
		if err != nil {
			b.Fatal(err)
		}
		outside += time.Since(start)
		inside += run.Inference
	}
	b.ReportMetric(float64((outside-inside).Microseconds())/1000/float64(b.N), "ms-boundary")
}
