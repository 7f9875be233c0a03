package device

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"
)

// keyring holds the key of the current UTC day and that of the day before, which
// still validates cookies for at most 24 hours.
//
// Days follow the wall clock, so that replicas with the same secret agree. A
// random key also expires by the monotonic clock, which nobody can set: a wall
// clock that stopped, or was set back by years, would otherwise keep the key that
// long. A clock set forward ends the day, as after a machine has slept, and does
// no harm when it is corrected.
type keyring struct {
	secret []byte
	now    func() time.Time
	ticks  func() time.Duration

	mu              sync.Mutex
	day             int64
	ends            time.Duration // of today's key, in ticks
	today, previous []byte
}

func newKeyring(secret []byte, now func() time.Time, ticks func() time.Duration) *keyring {
	k := &keyring{secret: secret, now: now, ticks: ticks}
	k.begin(dayOf(now()))
	if len(secret) > 0 {
		k.previous = k.make(k.day - 1) // another replica may have signed with it
	}
	return k
}

const (
	secondsPerDay = 24 * 60 * 60
	// slack keeps a slewed clock from ending a key just before its midnight, and
	// the next one just after.
	slack = 5 * time.Minute
)

func dayOf(t time.Time) int64 { return t.Unix() / secondsPerDay }

func midnight(day int64) time.Time { return time.Unix(day*secondsPerDay, 0) }

// begin makes the key of a day, which lasts until its midnight.
func (k *keyring) begin(day int64) {
	k.day, k.today = day, k.make(day)
	k.ends = k.ticks() + midnight(day+1).Sub(k.now()) + slack
}

// left returns the longest time until the current key changes.
func (k *keyring) left() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.turn()
	if now := k.now(); dayOf(now) == k.day {
		return min(midnight(k.day+1).Sub(now), k.ends-k.ticks())
	}
	return k.ends - k.ticks() // the wall clock was set back
}

func (k *keyring) current() []byte {
	today, _ := k.both()
	return today
}

// both returns the keys of today and of yesterday; the latter may be nil.
func (k *keyring) both() (today, previous []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.turn()
	return k.today, k.previous
}

// turn replaces a key that has expired.
func (k *keyring) turn() {
	day := dayOf(k.now())
	switch {
	case len(k.secret) > 0:
		if day != k.day {
			k.previous = k.make(day - 1)
			k.begin(day)
		}
	case day == k.day+1, k.ticks() >= k.ends:
		k.previous = k.today
		if k.ticks() >= k.ends+secondsPerDay*time.Second {
			k.previous = nil // no request for a day
		}
		k.begin(day)
	case day > k.day:
		k.previous = nil
		k.begin(day)
	}
}

func (k *keyring) make(day int64) []byte {
	if len(k.secret) == 0 {
		key := make([]byte, sha256.Size)
		_, _ = rand.Read(key) // documented never to fail
		return key
	}
	key, err := hkdf.Key(sha256.New, k.secret, nil, fmt.Sprintf("bgremover device day %d", day), sha256.Size)
	if err != nil {
		panic(err) // only for a length beyond HKDF's range
	}
	return key
}
