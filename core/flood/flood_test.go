package flood

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNothingIsLost: whatever comes, what passes and what is reported as left out
// are together what came, and what passes of a window has a bound.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{Window: 10 * time.Second, Burst: rapid.IntRange(1, 5).Draw(t, "burst"), Every: rapid.IntRange(2, 10).Draw(t, "every"), Kinds: rapid.IntRange(1, 4).Draw(t, "kinds")}
		s := New[int](limits)
		now := time.Unix(1e9, 0)
		came, passed, told, inWindow := 0, 0, 0, 0
		tell := func(leftOut map[int]int) {
			if len(leftOut) > limits.Kinds+1 {
				t.Fatalf("%d kinds were told apart", len(leftOut))
			}
			for _, n := range leftOut {
				told += n
			}
		}
		began := now
		for range rapid.IntRange(0, 300).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "milliseconds")) * time.Millisecond * time.Duration(rapid.IntRange(0, 1).Draw(t, "moves")))
			if now.Sub(began) >= limits.Window {
				began, inWindow = now, 0
			}
			pass, leftOut := s.Pass(rapid.IntRange(0, 50).Draw(t, "kind"), now)
			tell(leftOut)
			if came++; pass {
				passed++
				inWindow++
			}
			if most := (limits.Kinds+1)*limits.Burst + came/limits.Every + limits.Kinds + 1; inWindow > most {
				t.Fatalf("%d passed in one window, at most %d may", inWindow, most)
			}
		}
		tell(s.End())
		if passed+told != came {
			t.Fatalf("%d came, %d passed, %d were told as left out", came, passed, told)
		}
		if s.End() != nil {
			t.Fatal("told twice")
		}
	})
}

func TestAClockThatIsSetBackEndsTheWindow(t *testing.T) {
	s := New[string](Limits{Window: time.Minute, Burst: 1, Every: 1000, Kinds: 10})
	now := time.Unix(1e9, 0)
	s.Pass("a", now)
	s.Pass("a", now)
	if pass, leftOut := s.Pass("a", now.Add(-time.Hour)); !pass || leftOut["a"] != 1 {
		t.Errorf("pass %t, left out %v", pass, leftOut)
	}
}
