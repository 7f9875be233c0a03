package device

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"
)

// keyring holds the key of the running UTC day and the one of the day before,
// which still opens cookies for at most 24 hours.
type keyring struct {
	secret []byte
	now    func() time.Time

	mu              sync.Mutex
	day             int64
	today, previous []byte
}

func newKeyring(secret []byte, now func() time.Time) *keyring {
	k := &keyring{secret: secret, now: now, day: dayOf(now())}
	k.today = k.make(k.day)
	if len(secret) > 0 {
		k.previous = k.make(k.day - 1) // another replica may have signed with it
	}
	return k
}

const secondsPerDay = 24 * 60 * 60

func dayOf(t time.Time) int64 { return t.Unix() / secondsPerDay }

// left returns the time until the current key changes.
func (k *keyring) left() time.Duration {
	now := k.now()
	return time.Unix((dayOf(now)+1)*secondsPerDay, 0).Sub(now)
}

func (k *keyring) current() []byte {
	today, _ := k.both()
	return today
}

// both returns the keys of today and of yesterday; the latter may be nil. A
// clock that is set back changes nothing until the days count on.
func (k *keyring) both() (today, previous []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch day := dayOf(k.now()); {
	case day == k.day+1:
		k.previous, k.today, k.day = k.today, k.make(day), day
	case day > k.day:
		k.previous, k.today, k.day = nil, k.make(day), day
		if len(k.secret) > 0 {
			k.previous = k.make(day - 1)
		}
	}
	return k.today, k.previous
}

func (k *keyring) make(day int64) []byte {
	if len(k.secret) == 0 {
		key := make([]byte, sha256.Size)
		_, _ = rand.Read(key) // never fails, says its documentation
		return key
	}
	key, err := hkdf.Key(sha256.New, k.secret, nil, fmt.Sprintf("bgremover device day %d", day), sha256.Size)
	if err != nil {
		panic(err) // only for a length out of HKDF's range
	}
	return key
}
