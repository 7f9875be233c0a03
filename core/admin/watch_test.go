package admin

import (
	"testing"
	"time"

	"bgremover.pro/core/cutout"
)

// TestClockJumps: the clock on the wall is compared with the one that only runs.
func TestClockJumps(t *testing.T) {
	w := newWatch(NewMetrics(Build{}))
	now, offset := time.Now(), time.Duration(0)
	w.clock = func() time.Time { return now.Add(offset) }
	for _, step := range []struct{ by, seen time.Duration }{{0, 0}, {20 * time.Second, 0}, {2 * time.Hour, 2 * time.Hour}, {0, 2 * time.Hour}, {-30 * time.Minute, -30 * time.Minute}} {
		now = now.Add(beat)
		offset += step.by
		w.take(now)
		if got, at := w.jumped(); got != step.seen || at.IsZero() != (step.seen == 0) {
			t.Errorf("after %v: %v", step.by, got)
		}
	}
}

// TestFloodIsNoticed within two windows of its beginning, whenever between two beats that
// is, and is shown for a while after it.
func TestFloodIsNoticed(t *testing.T) {
	const rate = 1.5 * floodRate
	for begins := time.Duration(0); begins < beat; begins += beat / 8 {
		m := NewMetrics(Build{})
		w := newWatch(m)
		start := time.Now()
		refuse := func(until time.Duration) {
			for m.refusals.Load() < int64(rate*(until-begins).Seconds()) {
				if m.refusals.Load()%2 == 0 {
					m.Limited("network")
				} else {
					m.Photo(nil, &cutout.Error{Code: cutout.Busy})
				}
			}
		}
		noticed := time.Duration(0)
		for at := time.Duration(0); at <= 20*time.Second; at += beat {
			refuse(min(at, 12*time.Second))
			w.take(start.Add(at))
			if noticed == 0 && w.refused() > floodRate {
				noticed = at
			}
		}
		if noticed == 0 || noticed-begins > 2*window {
			t.Errorf("a flood that begins after %v is noticed after %v", begins, noticed)
		}
		if w.refused() < floodRate {
			t.Error("it is forgotten at once")
		}
		for at := 22 * time.Second; at < 40*time.Second; at += beat {
			w.take(start.Add(at))
		}
		if got := w.refused(); got != 0 || len(w.beats) > 8 {
			t.Errorf("long after it: %v a second, of %d beats", got, len(w.beats))
		}
	}
}
