package device

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clocks are a wall clock that may be set, and one that only goes on.
type clocks struct {
	wall  time.Time
	ticks time.Duration
}

func (c *clocks) pass(d time.Duration) { c.wall, c.ticks = c.wall.Add(d), c.ticks+d }

func (c *clocks) identifier(secret string) *Identifier {
	return New(Options{Secret: []byte(secret), Now: func() time.Time { return c.wall }, Ticks: func() time.Duration { return c.ticks }})
}

// TestStepsOfTheWallClock: whatever the wall clock is set to, and when, a key
// lasts a day and a few minutes at most, a cookie opens for two, and after the
// clock is right again, keys change at midnight as before.
func TestStepsOfTheWallClock(t *testing.T) {
	r := request("192.0.2.1:1", "A")
	for name, step := range map[string]time.Duration{
		"an hour back": -time.Hour, "a day back": -24 * time.Hour, "years back": -10 * 365 * 24 * time.Hour,
		"an hour on": time.Hour, "years on": 10 * 365 * 24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			c := &clocks{wall: time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)}
			i := c.identifier("")
			first := i.Derive(r)
			cookie := pair(i.Cookie(first, false))
			c.pass(time.Hour)
			c.wall = c.wall.Add(step)
			if ends := i.KeyEnds(); ends <= 0 || ends > 24*time.Hour+slack {
				t.Errorf("after the step the key ends in %v", ends)
			}
			c.pass(24*time.Hour + slack)
			if i.Derive(r).ID == first.ID {
				t.Error("the key outlives a day")
			}
			c.pass(24*time.Hour + slack)
			if i.Identify(request("192.0.2.1:1", "A", "Cookie", cookie)).Returning {
				t.Error("the cookie opens after two days")
			}
			c.wall = c.wall.Add(-step) // set right again
			c.pass(24*time.Hour + slack)
			c.pass(midnight(dayOf(c.wall) + 1).Sub(c.wall))
			before := i.Derive(r).ID
			c.pass(24*time.Hour - time.Second)
			if i.Derive(r).ID != before {
				t.Error("the key changes within the day")
			}
			c.pass(time.Second)
			if i.Derive(r).ID == before {
				t.Error("the key does not change at midnight")
			}
		})
	}
}

// TestNoKeyLastsLong sets the wall clock at random.
func TestNoKeyLastsLong(t *testing.T) {
	r := request("192.0.2.1:1", "A")
	rapid.Check(t, func(t *rapid.T) {
		c := &clocks{wall: time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)}
		i := c.identifier("")
		id, since := i.Derive(r).ID, c.ticks
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			c.pass(time.Duration(rapid.IntRange(0, 7200).Draw(t, "passes")) * time.Second)
			c.wall = c.wall.Add(time.Duration(rapid.IntRange(-200, 200).Draw(t, "set by")) * time.Hour * time.Duration(rapid.IntRange(0, 1).Draw(t, "whether")))
			if now := i.Derive(r).ID; now != id {
				id, since = now, c.ticks
			}
			if age := c.ticks - since; age > 24*time.Hour+slack+2*time.Hour {
				t.Fatalf("a key is %v old", age)
			}
		}
	})
}

// TestASlewedClockMakesOneChange: the wall clock is a few seconds behind the
// monotonic one at midnight; yesterday's cookies still open.
func TestASlewedClockMakesOneChange(t *testing.T) {
	r := request("192.0.2.1:1", "A")
	c := &clocks{wall: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)}
	i := c.identifier("")
	cookie := pair(i.Cookie(i.Derive(r), false))
	c.ticks += 43 * time.Second
	for range 24 * 60 {
		c.pass(time.Minute)
		i.Rotate()
	}
	if !i.Identify(request("192.0.2.1:1", "A", "Cookie", cookie)).Returning {
		t.Error("two changes at one midnight: yesterday's cookie is lost")
	}
}

// TestReplicasAgreeAgainAfterAStep: with a secret, the day alone decides.
func TestReplicasAgreeAgainAfterAStep(t *testing.T) {
	r := request("192.0.2.1:1", "A")
	const secret = "a secret that all replicas share."
	good, bad := &clocks{wall: time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)}, &clocks{wall: time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)}
	one, two := good.identifier(secret), bad.identifier(secret)
	bad.wall = bad.wall.AddDate(10, 0, 0)
	if one.Derive(r).ID == two.Derive(r).ID {
		t.Fatal("the step changes nothing")
	}
	bad.wall = bad.wall.AddDate(-10, 0, 0)
	if one.Derive(r).ID != two.Derive(r).ID {
		t.Error("a replica whose clock was wrong for a moment still disagrees")
	}
}
